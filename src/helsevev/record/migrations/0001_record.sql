-- The record: one row per current version, its history apart, search rows beside, and in the
-- same transaction the audit trail and the change feed. `patient` is the inhabitant's key and
-- the unit of locality: first in every key of a table about inhabitants (0 = reference data,
-- -1 = clinical data about no inhabitant of this record).

-- R4's resource types in the order of their names: four bytes in every row and index entry.
CREATE TYPE resource_type AS ENUM (
    'Account', 'ActivityDefinition', 'AdverseEvent', 'AllergyIntolerance', 'Appointment',
    'AppointmentResponse', 'AuditEvent', 'Basic', 'Binary', 'BiologicallyDerivedProduct',
    'BodyStructure', 'Bundle', 'CapabilityStatement', 'CarePlan', 'CareTeam', 'CatalogEntry',
    'ChargeItem', 'ChargeItemDefinition', 'Claim', 'ClaimResponse', 'ClinicalImpression',
    'CodeSystem', 'Communication', 'CommunicationRequest', 'CompartmentDefinition', 'Composition',
    'ConceptMap', 'Condition', 'Consent', 'Contract', 'Coverage', 'CoverageEligibilityRequest',
    'CoverageEligibilityResponse', 'DetectedIssue', 'Device', 'DeviceDefinition', 'DeviceMetric',
    'DeviceRequest', 'DeviceUseStatement', 'DiagnosticReport', 'DocumentManifest',
    'DocumentReference', 'EffectEvidenceSynthesis', 'Encounter', 'Endpoint', 'EnrollmentRequest',
    'EnrollmentResponse', 'EpisodeOfCare', 'EventDefinition', 'Evidence', 'EvidenceVariable',
    'ExampleScenario', 'ExplanationOfBenefit', 'FamilyMemberHistory', 'Flag', 'Goal',
    'GraphDefinition', 'Group', 'GuidanceResponse', 'HealthcareService', 'ImagingStudy',
    'Immunization', 'ImmunizationEvaluation', 'ImmunizationRecommendation', 'ImplementationGuide',
    'InsurancePlan', 'Invoice', 'Library', 'Linkage', 'List', 'Location', 'Measure',
    'MeasureReport', 'Media', 'Medication', 'MedicationAdministration', 'MedicationDispense',
    'MedicationKnowledge', 'MedicationRequest', 'MedicationStatement', 'MedicinalProduct',
    'MedicinalProductAuthorization', 'MedicinalProductContraindication',
    'MedicinalProductIndication', 'MedicinalProductIngredient', 'MedicinalProductInteraction',
    'MedicinalProductManufactured', 'MedicinalProductPackaged', 'MedicinalProductPharmaceutical',
    'MedicinalProductUndesirableEffect', 'MessageDefinition', 'MessageHeader',
    'MolecularSequence', 'NamingSystem', 'NutritionOrder', 'Observation', 'ObservationDefinition',
    'OperationDefinition', 'OperationOutcome', 'Organization', 'OrganizationAffiliation',
    'Parameters', 'Patient', 'PaymentNotice', 'PaymentReconciliation', 'Person', 'PlanDefinition',
    'Practitioner', 'PractitionerRole', 'Procedure', 'Provenance', 'Questionnaire',
    'QuestionnaireResponse', 'RelatedPerson', 'RequestGroup', 'ResearchDefinition',
    'ResearchElementDefinition', 'ResearchStudy', 'ResearchSubject', 'RiskAssessment',
    'RiskEvidenceSynthesis', 'Schedule', 'SearchParameter', 'ServiceRequest', 'Slot', 'Specimen',
    'SpecimenDefinition', 'StructureDefinition', 'StructureMap', 'Subscription', 'Substance',
    'SubstanceNucleicAcid', 'SubstancePolymer', 'SubstanceProtein',
    'SubstanceReferenceInformation', 'SubstanceSourceMaterial', 'SubstanceSpecification',
    'SupplyDelivery', 'SupplyRequest', 'Task', 'TerminologyCapabilities', 'TestReport',
    'TestScript', 'ValueSet', 'VerificationResult', 'VisionPrescription'
);

-- Texts may be stored as types; whoever compares them says which is meant (::resource_type).
CREATE CAST (text AS resource_type) WITH INOUT AS ASSIGNMENT;

CREATE TABLE resource (
    patient bigint NOT NULL,
    code bigint NOT NULL,
    date_low bigint NOT NULL,
    date_high bigint NOT NULL,
    last_updated timestamptz NOT NULL,
    token_set bigint NOT NULL,
    version integer NOT NULL,
    type resource_type NOT NULL,
    id text NOT NULL,
    keys bigint[] NOT NULL,
    body bytea NOT NULL,
    PRIMARY KEY (patient, type, id)
);

-- Bodies arrive compressed with a shared dictionary; compressing them again only costs time.
ALTER TABLE resource ALTER COLUMN body SET STORAGE EXTERNAL;

CREATE INDEX resource_by_patient_date ON resource (patient, type, date_low);

CREATE INDEX resource_by_code_date ON resource (type, code, date_low);

CREATE INDEX resource_by_key ON resource USING gin (keys);

-- Common values (status, category, ...) come in few combinations: rows name the combination by a
-- hash of it, and a condition on such a value asks which combinations hold it.
CREATE TABLE token_set (
    id bigint PRIMARY KEY,
    tokens bigint[] NOT NULL
);

CREATE INDEX token_set_by_token ON token_set USING gin (tokens);

CREATE TABLE resource_history (
    patient bigint NOT NULL,
    last_updated timestamptz NOT NULL,
    version integer NOT NULL,
    deleted boolean NOT NULL,
    type resource_type NOT NULL,
    id text NOT NULL,
    body bytea NOT NULL,
    PRIMARY KEY (patient, type, id, version)
);

ALTER TABLE resource_history ALTER COLUMN body SET STORAGE EXTERNAL;

-- Where a clinical resource whose id a client chose is kept, by a hash of type and id; server-made
-- ids carry this in themselves.
CREATE TABLE directory (
    key bigint PRIMARY KEY,
    patient bigint NOT NULL
);

CREATE TABLE search_string (
    patient bigint NOT NULL,
    type resource_type NOT NULL,
    id text NOT NULL,
    name text NOT NULL,
    value text COLLATE "C" NOT NULL
);

CREATE INDEX search_string_of_resource ON search_string (patient, type, id);

CREATE INDEX search_string_by_value ON search_string (type, name, value);

CREATE TABLE search_date (
    patient bigint NOT NULL,
    low bigint NOT NULL,
    high bigint NOT NULL,
    type resource_type NOT NULL,
    id text NOT NULL,
    name text NOT NULL
);

CREATE INDEX search_date_of_resource ON search_date (patient, type, id);

CREATE INDEX search_date_by_value ON search_date (type, name, low);

CREATE TABLE search_quantity (
    patient bigint NOT NULL,
    unit bigint NOT NULL,
    system_unit bigint NOT NULL,
    type resource_type NOT NULL,
    id text NOT NULL,
    name text NOT NULL,
    value numeric NOT NULL
);

CREATE INDEX search_quantity_of_resource ON search_quantity (patient, type, id);

CREATE INDEX search_quantity_by_value ON search_quantity (type, name, value);

-- Every code seen in a type's leading parameter, as the row's own `code` or (`is_leading` false) among
-- its keys; so a code given without its system finds the systems it occurs in.
CREATE TABLE coding (
    code text NOT NULL,
    system text NOT NULL,
    hash bigint NOT NULL,
    is_leading boolean NOT NULL,
    PRIMARY KEY (hash, is_leading)
);

-- Hash indexes take codes of any length.
CREATE INDEX coding_by_code ON coding USING hash (code);

CREATE INDEX coding_by_system ON coding USING hash (system);

-- Dictionaries that bodies are compressed with; a database explains itself without the program.
CREATE TABLE dictionary (
    id bigint PRIMARY KEY,
    content bytea NOT NULL
);

-- One row per transaction and inhabitant, in commit-safe order by (xid, seq).
CREATE TABLE change (
    seq bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    xid xid8 NOT NULL DEFAULT pg_current_xact_id(),
    transaction bigint NOT NULL,
    patient bigint NOT NULL,
    at timestamptz NOT NULL,
    actor text NOT NULL,
    verbs text NOT NULL,
    types text[] NOT NULL,
    ids text[] NOT NULL,
    versions integer[] NOT NULL
);

CREATE INDEX change_in_order ON change (xid, seq);

CREATE INDEX change_of_patient ON change (patient, xid, seq);

CREATE TABLE audit_event (
    patient bigint NOT NULL,
    id bigint NOT NULL,
    transaction bigint NOT NULL,
    at timestamptz NOT NULL,
    outcome smallint NOT NULL,
    action text NOT NULL,
    interaction text NOT NULL,
    actor text NOT NULL,
    actor_name text NOT NULL,
    role text NOT NULL,
    organisation text NOT NULL,
    organisation_name text NOT NULL,
    purpose text NOT NULL,
    reason text NOT NULL,
    target text NOT NULL,
    PRIMARY KEY (patient, id)
);

CREATE TABLE idempotency_key (
    actor text NOT NULL,
    key text NOT NULL,
    transaction bigint NOT NULL,
    at timestamptz NOT NULL,
    fingerprint bytea NOT NULL,
    result jsonb NOT NULL,
    PRIMARY KEY (actor, key)
);

-- Who treats whom: read model of CareTeam, EpisodeOfCare and Encounter, for access decisions.
CREATE TABLE treatment_relation (
    patient bigint NOT NULL,
    start_at bigint NOT NULL,
    end_at bigint NOT NULL,
    source_type text NOT NULL,
    source_id text NOT NULL,
    grantee text NOT NULL
);

CREATE INDEX treatment_relation_of_source ON treatment_relation (patient, source_type, source_id);

CREATE INDEX treatment_relation_by_grantee ON treatment_relation (grantee, patient);

CREATE TABLE emergency_access (
    patient bigint NOT NULL,
    id bigint NOT NULL,
    started_at timestamptz NOT NULL,
    expires_at timestamptz NOT NULL,
    actor text NOT NULL,
    organisation text NOT NULL,
    ground text NOT NULL,
    reason text NOT NULL,
    PRIMARY KEY (patient, id)
);

CREATE INDEX emergency_access_by_actor ON emergency_access (actor, expires_at);

CREATE TABLE draft (
    patient bigint NOT NULL,
    revision integer NOT NULL,
    updated_at timestamptz NOT NULL,
    author text NOT NULL,
    kind text NOT NULL,
    key text NOT NULL,
    content jsonb NOT NULL,
    PRIMARY KEY (patient, author, kind, key)
);

CREATE TABLE last_look (
    patient bigint NOT NULL,
    at timestamptz NOT NULL,
    actor text NOT NULL,
    PRIMARY KEY (patient, actor)
);

CREATE TABLE session (
    token_hash bytea PRIMARY KEY,
    created_at timestamptz NOT NULL,
    expires_at timestamptz NOT NULL,
    actor jsonb NOT NULL
);

CREATE TABLE api_token (
    token_hash bytea PRIMARY KEY,
    created_at timestamptz NOT NULL,
    expires_at timestamptz NOT NULL,
    actor jsonb NOT NULL
);

-- Lets one statement with many parts undo itself whole when a version is not the expected one.
CREATE FUNCTION refuse(reason text) RETURNS integer LANGUAGE plpgsql AS
$$BEGIN RAISE EXCEPTION USING ERRCODE = 'HV409', MESSAGE = reason; END$$;
