"""Who somebody is: national logins, the role chosen, quick and emergency re-login, the lock."""
