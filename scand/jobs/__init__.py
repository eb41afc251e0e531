"""What a job is: its row, its settings, and the steps that it may take."""
