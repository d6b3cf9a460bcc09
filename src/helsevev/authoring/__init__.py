"""Where professionals write, try, review and release the content that they own."""
