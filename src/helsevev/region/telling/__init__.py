"""The verbs of a life: how a contact, a finding, a medicine or a note becomes a resource."""
