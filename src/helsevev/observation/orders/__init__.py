"""Orders: examinations, procedures and referrals inside the house, from wish to answer."""
