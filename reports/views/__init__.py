"""One frozen view-model per page: everything a page shows, already in words and figures."""
