"""Pages on local disk: what is recorded of them, and where they lie.

In the order in which paper travels: `directories` (the tree below `staging.dir`) holds `batches` (a batch's
directory, and how it is written), which holds `records` (what each file says: a page, how a batch began and ended,
whose job it is); `sheets` chooses the sides that go into a PDF and their order; `disk` says what an error of the
staging disk means.
"""
