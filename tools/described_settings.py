"""What each environment variable means, in words: a variable that the code reads must be here."""

SETTINGS: dict[str, str] = {
    "HELSEVEV_DATA": "Folder of the data, for every command. The embedded PostgreSQL lies in it.",
    "HELSEVEV_DATABASE_URL": "A PostgreSQL server (16 or newer) in place of the embedded one.",
    "HELSEVEV_DATABASE_PROGRAM_URL": "The same server by a user who owns nothing, which all but"
    " migrations and imports then use.",
    "HELSEVEV_HOST": "The address that the server listens on.",
    "HELSEVEV_PORT": "The port that the server listens on; goes before `PORT`.",
    "PORT": "The same.",
    "HELSEVEV_DEMO": "Anything but `0`, `false`, `no`, `off`: serve the demo, as `--demo` does.",
    "HELSEVEV_ADDRESS": "Where others reach the server, for URLs in what it sends: `https://…`.",
    "HELSEVEV_SUBSCRIPTION_ENDPOINTS": "Beginnings of URLs that notifications may be sent to, with"
    " spaces between; none: nowhere, but for the demo's own machine.",
    "HELSEVEV_WORKERS": "How many processes answer, up to 64; `0`: one for each core, at most 4.",
    "HELSEVEV_AUDIT_KEYS": "Folder of the keys that sign the audit log; none: in the data folder.",
    "HELSEVEV_CONDITIONAL_DELETE": "`single` (the default): a conditional delete that fits several"
    " resources is refused. `multiple`: it takes them all, in one act.",
    "HELSEVEV_STAFF_ISSUER": "The OpenID Connect provider of staff, HelseID's profile: its issuer"
    " URL. See `docs/how-to/connect-national-logins.md`.",
    "HELSEVEV_STAFF_CLIENT_ID": "Our client there.",
    "HELSEVEV_STAFF_KEY_FILE": "The file with that client's private key, a JWK or PEM.",
    "HELSEVEV_INHABITANT_ISSUER": "The provider of inhabitants, ID-porten's profile.",
    "HELSEVEV_INHABITANT_CLIENT_ID": "Our client there.",
    "HELSEVEV_INHABITANT_KEY_FILE": "The file with that client's private key.",
    "HELSEVEV_LOCK_AFTER": "After how many minutes without use a session locks, 1 to 240.",
    "HELSEVEV_MEDICATION_SERVICE": "The national medication service, SFM Basis API: its `https`"
    " address. See `docs/how-to/exchange-the-national-list.md`.",
    "HELSEVEV_MEDICATION_SERVICE_TOKEN": "The file of its bearer token, read at each call.",
    "HELSEVEV_MEDICATION_SECONDS": "For how many seconds its answer is waited for, 1 to 120.",
    "HELSEVEV_DICTATION": "Which speech recognition of the browser notes may use: `device` (speech"
    " never leaves the device), `browser` (any: many send speech to their maker), `off`.",
    "HELSEVEV_CHROMIUM": "The Chromium that the browser tests and `take_screenshots.py` drive.",
}
"""What each variable means; a variable that the code reads and this lacks is an error."""
