/* rude: a SANE backend that misbehaves on demand, to test its frontend.
 *
 * $SANE_CONFIG_DIR/rude.conf is read again at every call, so that a test can change it while the driver is
 * loaded. Each line is a keyword and the rest of the line (defaults in parentheses):
 *
 *   device NAME MODEL    a scanner of the vendor Rude; one line per scanner
 *   sheets N             in each stack (3); a new stack is loaded when the last one is used up
 *   depth, pixels, padding, passes, lines    what sane_get_parameters says of a frame (8, 443, 0, 1, 59);
 *                        lines -1: unknown length; early 1: all values are 0 before sane_start
 *   deliver N            lines that are really delivered
 *   output N             lines of rubbish on stdout and on stderr at each call
 *   CALL crash | hang | STATUS        what that call does instead of its work; a number is a SANE_Status
 *   CALL@PAGE ...        the same, only at that page of the stack; "read" misbehaves mid-page, "first" at the
 *                        first sane_read of the page
 *
 * Every call but sane_read and those for options adds a line to $SANE_CONFIG_DIR/rude.log. A page is gray and
 * white but for the mark of scand/simulator/marks.py, with the number of its sheet in the stack.
 * libsane finds the library libsane-rude.so.1 through LD_LIBRARY_PATH: sane-backends, backend/dll.c, load().
 */

#include <limits.h>
#include <sane/sane.h>
#include <sane/saneopts.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { DEVICES = 8, DPI = 75, WORD = 128 };

static int page;     /* number within the stack; 0: none was started yet */
static int started;  /* whether a page is being read */
static long sent;    /* bytes of this page so far */

static FILE *config_file(const char *name, const char *mode)
{
    char path[PATH_MAX];
    snprintf(path, sizeof path, "%s/%s", getenv("SANE_CONFIG_DIR"), name);
    return fopen(path, mode);
}

/* The rest of the nth line (from 0) with this keyword, in a buffer that the next call overwrites; NULL: none. */
static const char *setting(const char *word, int nth)
{
    static char rest[WORD];
    char line[2 * WORD], first[WORD];
    const char *found = NULL;
    FILE *file = config_file("rude.conf", "r");

    while (file && !found && fgets(line, sizeof line, file))
        if (sscanf(line, "%127s %127[^\n]", first, rest) == 2 && strcmp(first, word) == 0 && nth-- == 0)
            found = rest;
    if (file)
        fclose(file);
    return found;
}

static int number(const char *word, int fallback)
{
    const char *text = setting(word, 0);
    return text ? atoi(text) : fallback;
}

/* Misbehave as rude.conf says for this call, at this page or at any. */
static SANE_Status misbehave(const char *call)
{
    char at_page[WORD];
    const char *what;

    snprintf(at_page, sizeof at_page, "%s@%d", call, page);
    what = setting(at_page, 0);
    if (!what)
        what = setting(call, 0);
    if (!what)
        return SANE_STATUS_GOOD;
    if (strcmp(what, "crash") == 0)
        *(volatile int *)NULL = 1;
    while (strcmp(what, "hang") == 0)
        pause();
    return (SANE_Status)atoi(what);
}

static SANE_Status called(const char *call, const char *argument)
{
    FILE *file = config_file("rude.log", "a");

    fprintf(file, "%s %s\n", call, argument);
    fclose(file);
    for (int left = number("output", 0); left > 0; left--) {
        fprintf(stdout, "rude %s \033[31m\xff{\"say\": \"captured\"}\n", call);
        fprintf(stderr, "rude %s: warning\n", call);
    }
    fflush(stdout);
    return misbehave(call);
}

SANE_Status sane_rude_init(SANE_Int *version, SANE_Auth_Callback authorize)
{
    (void)authorize;
    *version = SANE_VERSION_CODE(SANE_CURRENT_MAJOR, 0, 0);
    return called("init", "");
}

void sane_rude_exit(void) { called("exit", ""); }

SANE_Status sane_rude_get_devices(const SANE_Device ***list, SANE_Bool local_only)
{
    static SANE_Device devices[DEVICES];
    static const SANE_Device *pointers[DEVICES + 1];
    static char names[DEVICES][WORD], models[DEVICES][WORD];
    SANE_Status status = called("get_devices", "");
    const char *line;
    int count = 0;

    (void)local_only;
    for (; count < DEVICES && (line = setting("device", count)); count++) {
        sscanf(line, "%127s %127[^\n]", names[count], models[count]);
        devices[count] = (SANE_Device){names[count], "Rude", models[count], "sheetfed scanner"};
        pointers[count] = &devices[count];
    }
    pointers[count] = NULL;
    *list = pointers;
    return status;
}

SANE_Status sane_rude_open(SANE_String_Const name, SANE_Handle *handle)
{
    char known[WORD] = "";
    SANE_Status status = called("open", name);
    const char *line;

    for (int nth = 0; (line = setting("device", nth)) && strcmp(known, name) != 0; nth++)
        sscanf(line, "%127s", known);
    if (strcmp(known, name) != 0)
        return SANE_STATUS_INVAL;
    page = started = 0;
    *handle = &page;
    return status;
}

void sane_rude_close(SANE_Handle handle)
{
    (void)handle;
    called("close", "");
}

static const SANE_String_Const sources[] = {"ADF", NULL}, modes[] = {"Gray", NULL};
static const SANE_Int resolutions[] = {1, DPI};
static const SANE_Option_Descriptor options[] = {
    {.name = "", .title = "", .desc = "", .type = SANE_TYPE_INT, .size = 4, .cap = SANE_CAP_SOFT_DETECT},
    {SANE_NAME_SCAN_SOURCE, "", "", SANE_TYPE_STRING, 0, 8, SANE_CAP_SOFT_SELECT | SANE_CAP_SOFT_DETECT,
     SANE_CONSTRAINT_STRING_LIST, {.string_list = sources}},
    {SANE_NAME_SCAN_MODE, "", "", SANE_TYPE_STRING, 0, 8, SANE_CAP_SOFT_SELECT | SANE_CAP_SOFT_DETECT,
     SANE_CONSTRAINT_STRING_LIST, {.string_list = modes}},
    {SANE_NAME_SCAN_RESOLUTION, "", "", SANE_TYPE_INT, SANE_UNIT_DPI, 4,
     SANE_CAP_SOFT_SELECT | SANE_CAP_SOFT_DETECT, SANE_CONSTRAINT_WORD_LIST, {.word_list = resolutions}},
};
enum { OPTIONS = sizeof options / sizeof *options };

const SANE_Option_Descriptor *sane_rude_get_option_descriptor(SANE_Handle handle, SANE_Int option)
{
    (void)handle;
    return option >= 0 && option < OPTIONS ? &options[option] : NULL;
}

/* Each option has only one possible value. */
SANE_Status sane_rude_control_option(SANE_Handle handle, SANE_Int option, SANE_Action action, void *value,
                                     SANE_Int *info)
{
    (void)handle;
    if (info)
        *info = 0;
    if (action != SANE_ACTION_GET_VALUE)
        return SANE_STATUS_GOOD;
    if (options[option].type == SANE_TYPE_STRING)
        strcpy(value, options[option].constraint.string_list[0]);
    else
        *(SANE_Int *)value = option ? DPI : OPTIONS;
    return SANE_STATUS_GOOD;
}

SANE_Status sane_rude_get_parameters(SANE_Handle handle, SANE_Parameters *is)
{
    int passes = number("passes", 1);

    (void)handle;
    memset(is, 0, sizeof *is);
    if (!started && number("early", 0))
        return SANE_STATUS_GOOD;
    is->format = passes == 1 ? SANE_FRAME_GRAY : SANE_FRAME_RED;
    is->last_frame = passes == 1;
    is->depth = number("depth", 8);
    is->pixels_per_line = number("pixels", 443);
    is->bytes_per_line = is->pixels_per_line * is->depth / 8 + number("padding", 0);
    is->lines = number("lines", 59);
    return misbehave("parameters");
}

SANE_Status sane_rude_start(SANE_Handle handle)
{
    SANE_Status status;

    (void)handle;
    started = 0;
    if (page == number("sheets", 3)) {
        page = 0;
        return SANE_STATUS_NO_DOCS;
    }
    page++;
    status = called("start", "");
    started = status == SANE_STATUS_GOOD;
    sent = 0;
    return status;
}

/* Whether the mark is black at x, y (mm): 32 cells of 4 mm x 6 mm, 10 mm from the left, 8 mm from the top. */
static int black(double x, double y)
{
    unsigned check = ~0u, cells;
    int cell = (int)((x - 10) / 4);

    if (x < 10 || cell > 31 || y < 8 || y > 14)
        return 0;
    for (int byte = 3; byte >= 0; byte--) { /* CRC-32 of the number's four bytes, as in zlib */
        check ^= (unsigned)page >> 8 * byte & 0xff;
        for (int bit = 0; bit < 8; bit++)
            check = check >> 1 ^ (check & 1 ? 0xedb88320u : 0);
    }
    cells = 2u << 30 | (unsigned)page << 10 | (~check & 0xff) << 2 | 2;
    return cells >> (31 - cell) & 1;
}

SANE_Status sane_rude_read(SANE_Handle handle, SANE_Byte *data, SANE_Int most, SANE_Int *length)
{
    SANE_Parameters is;
    SANE_Status status = SANE_STATUS_GOOD;
    long total, half, end;

    sane_rude_get_parameters(handle, &is);
    total = (long)is.bytes_per_line * number("deliver", is.lines < 0 ? 59 : is.lines);
    half = (total / is.bytes_per_line + 1) / 2 * is.bytes_per_line;
    end = sent < half ? half : total; /* however much is asked for, so that it can fail mid-page */
    *length = 0;
    if (sent == 0)
        status = misbehave("first");
    else if (sent >= half)
        status = misbehave("read");
    if (status != SANE_STATUS_GOOD)
        return status;
    if (!started || sent >= total)
        return SANE_STATUS_EOF;
    for (; *length < most && sent < end; sent++)
        data[(*length)++] = black((sent % is.bytes_per_line + 0.5) * 25.4 / DPI,
                                  (sent / is.bytes_per_line + 0.5) * 25.4 / DPI) ? 0 : 255;
    return SANE_STATUS_GOOD;
}

void sane_rude_cancel(SANE_Handle handle)
{
    (void)handle;
    started = 0;
    called("cancel", "");
}

SANE_Status sane_rude_set_io_mode(SANE_Handle handle, SANE_Bool non_blocking)
{
    (void)handle;
    return non_blocking ? SANE_STATUS_UNSUPPORTED : SANE_STATUS_GOOD;
}

SANE_Status sane_rude_get_select_fd(SANE_Handle handle, SANE_Int *fd)
{
    (void)handle;
    (void)fd;
    return SANE_STATUS_UNSUPPORTED;
}
