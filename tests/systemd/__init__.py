"""scand as its users meet it: installed, and run by a real systemd."""
