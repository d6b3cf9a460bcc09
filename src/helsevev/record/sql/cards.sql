-- name: keep_events
-- What happened to some cards of one inhabitant; an event that is there already stays as it is.
INSERT INTO card_event (patient, at, card, event, rule, rule_version, level, hook, key, subject,
                        actor, unit, reason, words)
SELECT $1, $2, e.card, 'shown', e.rule, e.rule_version, e.level, $3, e.key, e.subject, $4, $5, '', ''
FROM unnest($6::text[], $7::text[], $8::text[], $9::text[], $10::text[], $11::text[])
    AS e (card, rule, rule_version, level, key, subject)
ON CONFLICT (patient, card, event) DO NOTHING

-- name: answer_card
-- What somebody did about a card ($2) that was shown to them ($5), or the outcome of it.
INSERT INTO card_event (patient, at, card, event, rule, rule_version, level, hook, key, subject,
                        actor, unit, reason, words)
SELECT s.patient, $3, s.card, $4, s.rule, s.rule_version, s.level, s.hook, s.key, s.subject,
       $5, $6, $7, $8
FROM card_event s
WHERE s.patient = $1 AND s.card = $2 AND s.event = 'shown' AND s.actor = $5
ON CONFLICT (patient, card, event) DO NOTHING
RETURNING rule

-- name: was_shown
-- The rule of a card that was shown to somebody.
SELECT rule FROM card_event
WHERE patient = $1 AND card = $2 AND event = 'shown' AND actor = $3

-- name: unanswered
-- Cards that held a signature back, shown to somebody ($3) on a subject ($2) and answered by nobody,
-- besides those that stand there still ($4).
SELECT s.card FROM card_event s
WHERE s.patient = $1 AND s.subject = $2 AND s.actor = $3 AND s.event = 'shown' AND s.level <> 'quiet'
  AND s.card <> ALL ($4::text[])
  AND NOT EXISTS (
      SELECT FROM card_event a
      WHERE a.patient = s.patient AND a.card = s.card AND a.event IN ('accepted', 'overridden')
  )

-- name: keep_outcome
-- What became of orders ($2) that were signed in spite of cards before a time ($8), once for each.
INSERT INTO card_event (patient, at, card, event, rule, rule_version, level, hook, key, subject,
                        actor, unit, reason, words)
SELECT s.patient, $3, s.card, 'outcome', s.rule, s.rule_version, s.level, s.hook, s.key, s.subject,
       $4, $5, $6, $7
FROM card_event s
WHERE s.patient = $1 AND s.subject = ANY ($2::text[]) AND s.event = 'overridden'
  AND s.at < $8
ON CONFLICT (patient, card, event) DO NOTHING

-- name: weeks
-- How each rule did week by week since a time, of nobody in particular.
SELECT date_trunc('week', at AT TIME ZONE 'Europe/Oslo')::date, rule,
       count(DISTINCT card) FILTER (WHERE event = 'shown'), count(DISTINCT card) FILTER (WHERE event = 'accepted'),
       count(DISTINCT card) FILTER (WHERE event = 'overridden'), count(DISTINCT card) FILTER (WHERE event = 'outcome')
FROM card_event WHERE at >= $1 GROUP BY 1, 2 ORDER BY 1 DESC, 2

-- name: outcomes
-- What became of orders that were signed in spite of each rule's cards, of nobody in particular.
SELECT rule, reason, count(DISTINCT card) FROM card_event
WHERE at >= $1 AND event = 'outcome' GROUP BY rule, reason ORDER BY rule, count(DISTINCT card) DESC, reason

-- name: overridden_keys
-- Findings that somebody went on in spite of since a time, and need not be asked about again.
SELECT DISTINCT key FROM card_event WHERE patient = $1 AND event = 'overridden' AND at >= $2

-- name: events_of
-- What happened to an inhabitant's cards, newest first.
SELECT at, card, event, rule, rule_version, level, hook, subject, actor, reason, words
FROM card_event WHERE patient = $1 ORDER BY at DESC, card, event LIMIT $2

-- name: statistics
-- How often each rule was shown, accepted and overridden since a time, of nobody in particular.
SELECT rule, max(rule_version), max(level), count(DISTINCT card) FILTER (WHERE event = 'shown'),
       count(DISTINCT card) FILTER (WHERE event = 'accepted'), count(DISTINCT card) FILTER (WHERE event = 'overridden'),
       count(DISTINCT card) FILTER (WHERE event = 'outcome')
FROM card_event WHERE at >= $1 GROUP BY rule ORDER BY rule

-- name: reasons
-- Why each rule was overridden since a time, by coded reason.
SELECT rule, reason, count(DISTINCT card) FROM card_event
WHERE at >= $1 AND event = 'overridden' GROUP BY rule, reason ORDER BY rule, count(DISTINCT card) DESC, reason

-- name: follow_person
-- The cards of a record ($1) that was merged into another ($2) are that one's as well.
INSERT INTO card_event (patient, at, card, event, rule, rule_version, level, hook, key, subject,
                        actor, unit, reason, words)
SELECT $2, at, card, event, rule, rule_version, level, hook, key, subject, actor, unit, reason, words
FROM card_event WHERE patient = $1
ON CONFLICT (patient, card, event) DO NOTHING

-- name: leave_person
-- Once two records are parted, the cards of one ($1) are no longer the other's ($2).
DELETE FROM card_event t USING card_event s
WHERE t.patient = $2 AND s.patient = $1 AND t.card = s.card AND t.event = s.event

-- name: knowledge_state
-- When the knowledge base was last changed, and why it was stopped.
SELECT changed_at, stopped_because FROM knowledge_base

-- name: knowledge_body
-- The list of interactions that was loaded; null for the one that comes with the program.
SELECT body FROM knowledge_base

-- name: load_knowledge
-- Put another list of interactions in use; null for the one that comes with the program.
UPDATE knowledge_base SET body = $1, changed_at = $2

-- name: stop_knowledge
-- Stop the knowledge base for a reason, or start it ('').
UPDATE knowledge_base SET stopped_because = $1, changed_at = $2

-- name: ask_review
-- A rule ($1) goes to review, told by its figures ($2), unless it is under review already.
INSERT INTO rule_review (asked_at, rule, told, verdict, ended_by, ended_by_name)
VALUES ($3, $1, $2, '', '', '')
ON CONFLICT (rule) WHERE ended_at IS NULL DO NOTHING
RETURNING rule

-- name: reviews
-- Every review of every rule, the newest first.
SELECT rule, asked_at, told, ended_at, verdict, ended_by_name FROM rule_review
ORDER BY asked_at DESC, rule

-- name: end_review
-- What the review of a rule came to.
UPDATE rule_review SET ended_at = $2, verdict = $3, ended_by = $4, ended_by_name = $5
WHERE rule = $1 AND ended_at IS NULL
RETURNING rule
