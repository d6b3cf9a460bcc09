-- name: audit
-- Rows of the audit trail, many at once.
INSERT INTO audit_event
    (patient, id, transaction, at, outcome, action, interaction, actor, origin, purpose, reason,
     target, basis, request)
SELECT * FROM unnest($1::bigint[], $2::bigint[], $3::bigint[], $4::timestamptz[], $5::smallint[],
                     $6::text[], $7::text[], $8::text[], $9::bigint[], $10::text[], $11::text[],
                     $12::text[], $13::text[], $14::text[])

-- name: origins
-- Who asks and from where, as rows of the trail will name it.
INSERT INTO audit_origin (id, content)
SELECT id, content::json FROM unnest($1::bigint[], $2::text[]) AS o (id, content)
ON CONFLICT (id) DO NOTHING

-- name: of_patient
-- Who has touched an inhabitant's record in a time, newest first, before a row.
SELECT e.patient, e.id, e.transaction, e.at, e.outcome, e.action, e.interaction, e.actor,
       e.actor_name, e.role, e.organisation, e.organisation_name, e.purpose, e.reason, e.target,
       e.basis, e.request, o.content::text AS origin
FROM audit_event e LEFT JOIN audit_origin o ON o.id = e.origin
WHERE e.patient = $1 AND e.id < $2 AND e.at >= $3 AND e.at < $4
ORDER BY e.id DESC
LIMIT $5

-- name: of_time
-- What was touched in a time, anybody's, in the order of sealing, after a place.
SELECT e.patient, e.id, e.transaction, e.at, e.outcome, e.action, e.interaction, e.actor,
       e.actor_name, e.role, e.organisation, e.organisation_name, e.purpose, e.reason, e.target,
       e.basis, e.request, o.content::text AS origin, e.xid::text::bigint AS xid
FROM audit_event e LEFT JOIN audit_origin o ON o.id = e.origin
WHERE (e.xid, e.id) > ($1::bigint::text::xid8, $2::bigint)
  AND e.xid < pg_snapshot_xmin(pg_current_snapshot())
ORDER BY e.xid, e.id, e.patient
LIMIT $3
