"""What a note is written by: templates, facts of the record, copies, signatures, files, paper."""
