package api

import (
	"context"
	"time"
)

// Schemas are the subjects of a schema registry.
type Schemas interface {
	Subjects(ctx context.Context, q SubjectQuery) (Page[SubjectSummary], error)
	// Subject has the text of one version; ErrNotFound where there is no such subject or version.
	Subject(ctx context.Context, q OneSubject) (Subject, error)
	// DiffSchemas compares two versions of a subject.
	DiffSchemas(ctx context.Context, q SchemaDiffQuery) (SchemaDiff, error)
	// CheckSchema says what a candidate would break; it registers nothing.
	CheckSchema(ctx context.Context, c SchemaCandidate) (SchemaChecked, error)
	// SubjectUse looks at the newest records of topics, within bounds, for those written with the
	// subject's schemas.
	SubjectUse(ctx context.Context, subject string) (SubjectUse, error)
	// SetCompatibility sets a subject's level, or that of all that have none of their own.
	SetCompatibility(ctx context.Context, s SetCompatibility) (SchemaDone, error)
	// DeleteSchema deletes a version, or a subject with all of them.
	DeleteSchema(ctx context.Context, d DeleteSchema) (SchemaDone, error)
}

// SubjectQuery selects subjects, by name.
type SubjectQuery struct {
	PageQuery
	// Deleted includes those that are deleted, but not for ever.
	Deleted bool `json:"deleted,omitempty"`
}

// SubjectSummary is a subject in a list.
type SubjectSummary struct {
	Name string `json:"name"`
	// Type is AVRO, JSON or PROTOBUF, of the latest version.
	Type string `json:"type"`
	// Versions that are there; Latest is the highest number, ID its schema's.
	Versions int   `json:"versions"`
	Latest   int   `json:"latest"`
	ID       int64 `json:"id"`
	// Compatibility is the level in force, such as BACKWARD; CompatibilityOwn says that it is the
	// subject's own, not that of its context or of all.
	Compatibility    string `json:"compatibility"`
	CompatibilityOwn bool   `json:"compatibilityOwn,omitempty"`
	// Deleted subjects have deleted versions only.
	Deleted bool   `json:"deleted,omitempty"`
	Problem string `json:"problem,omitempty"`
}

// OneSubject names a subject, and the version whose text is wanted.
type OneSubject struct {
	Subject string `json:"subject"`
	// Version is the latest where 0.
	Version int `json:"version,omitempty"`
}

// Subject is one in detail.
type Subject struct {
	SubjectSummary
	// Mode is READWRITE, READONLY, READONLY_OVERRIDE or IMPORT; ModeOwn says that it is the
	// subject's own.
	Mode    string `json:"mode"`
	ModeOwn bool   `json:"modeOwn,omitempty"`
	// GlobalCompatibility is the level of those that have none of their own.
	GlobalCompatibility string `json:"globalCompatibility"`
	// VersionList has the newest first, without texts; Older are how many more there are.
	VersionList []SchemaVersion `json:"versionList"`
	Older       int             `json:"older,omitempty"`
	// Shown is the version asked for, with its text.
	Shown SchemaVersion `json:"shown"`
	// Problems are parts that could not be asked.
	Problems []string `json:"problems,omitempty"`
}

// SchemaVersion is a schema as a version of a subject.
type SchemaVersion struct {
	Version int    `json:"version"`
	ID      int64  `json:"id"`
	Type    string `json:"type"`
	Deleted bool   `json:"deleted,omitempty"`
	// At is when it was registered; zero where the registry does not tell.
	At         time.Time         `json:"at,omitzero"`
	References []SchemaReference `json:"references,omitempty"`
	// ReferencedBy are ids of schemas that refer to it.
	ReferencedBy []int64 `json:"referencedBy,omitempty"`
	// Text is the schema as it was registered; "" in lists.
	Text string `json:"text,omitempty"`
}

// SchemaReference says which version of a subject a name in a schema means.
type SchemaReference struct {
	Name    string `json:"name"`
	Subject string `json:"subject"`
	Version int    `json:"version"`
}

// SchemaDiffQuery selects two versions.
type SchemaDiffQuery struct {
	Subject string `json:"subject"`
	From    int    `json:"from"`
	To      int    `json:"to"`
}

// SchemaDiff is what makes of one version another.
type SchemaDiff struct {
	Subject string        `json:"subject"`
	From    SchemaVersion `json:"from"`
	To      SchemaVersion `json:"to"`
	// Fields that differ; More says that there are more than are listed.
	Fields []SchemaChange `json:"fields"`
	More   bool           `json:"more,omitempty"`
	// Lines of the two, indented; those far from a change are left out.
	Lines []DiffLine `json:"lines"`
	// Cut says that the texts are too long to be compared line by line, so that all between the
	// equal beginning and end counts as changed, or that lines are missing.
	Cut bool `json:"cut,omitempty"`
}

// SchemaChange is a part of a schema that differs.
type SchemaChange struct {
	Kind ChangeKind `json:"kind"`
	// Field such as order.lines[].price, or the name of a type.
	Field string `json:"field"`
	// Old and New are the type, with default and aliases, in few words.
	Old string `json:"old,omitempty"`
	New string `json:"new,omitempty"`
}

// DiffLine is a line of two texts.
type DiffLine struct {
	// Kind is "same", "added", "removed", or "gap" for lines that are left out.
	Kind string `json:"kind"`
	Text string `json:"text"`
	// Old and New are its numbers from 1; 0 where it is not in that text.
	Old int `json:"old,omitempty"`
	New int `json:"new,omitempty"`
}

// SchemaCandidate is a schema that may become a version of a subject.
type SchemaCandidate struct {
	Subject string `json:"subject"`
	// Type is that of the latest version where empty.
	Type       string            `json:"type,omitempty"`
	Text       string            `json:"text"`
	References []SchemaReference `json:"references,omitempty"`
	// Version is the one to compare with; 0 for those that registering would be compared with.
	Version int `json:"version,omitempty"`
}

// SchemaChecked is what a candidate would break.
type SchemaChecked struct {
	Subject    string `json:"subject"`
	Compatible bool   `json:"compatible"`
	// Level that is in force.
	Level string `json:"level"`
	// Said is a sentence for people.
	Said    string         `json:"said"`
	Reasons []SchemaReason `json:"reasons"`
}

// SchemaReason is one thing that a candidate would break.
type SchemaReason struct {
	Detail string `json:"detail"`
}

// SubjectUse are the topics and groups that a subject's schemas were found in.
type SubjectUse struct {
	Subject string     `json:"subject"`
	Topics  []TopicUse `json:"topics"`
	// Looked are how many topics were looked at, Left how many were not, for time.
	Looked int `json:"looked"`
	Left   int `json:"left,omitempty"`
	// Problems are parts that could not be asked.
	Problems []string `json:"problems,omitempty"`
}

// TopicUse is a topic whose records have a subject's schemas, or whose name the subject has.
type TopicUse struct {
	Topic string `json:"topic"`
	// Part is "key" or "value".
	Part string `json:"part"`
	// Named says that the subject is named after the topic.
	Named bool `json:"named,omitempty"`
	// Looked are how many of the newest records were looked at, Found how many of them have a
	// schema of the subject.
	Looked int `json:"looked"`
	Found  int `json:"found"`
	// Versions that were found; an id that several subjects have counts for each.
	Versions []int `json:"versions"`
	// Others are ids of other schemas that were found there.
	Others []int64 `json:"others,omitempty"`
	// Groups read the topic.
	Groups []string `json:"groups"`
}

// SetCompatibility sets a level.
type SetCompatibility struct {
	// Subject is "" for all that have no level of their own.
	Subject string `json:"subject,omitempty"`
	// Level such as FULL_TRANSITIVE; "" has the subject follow the others again.
	Level string `json:"level"`
}

// CompatibilityLevels are what SetCompatibility.Level may be.
var CompatibilityLevels = []string{"BACKWARD", "BACKWARD_TRANSITIVE", "FORWARD", "FORWARD_TRANSITIVE", "FULL", "FULL_TRANSITIVE", "NONE"}

// DeleteSchema names what is to be deleted.
type DeleteSchema struct {
	Subject string `json:"subject"`
	// Version is 0 for all.
	Version int `json:"version,omitempty"`
	// Permanent deletes for ever what is deleted already.
	Permanent bool `json:"permanent,omitempty"`
}

// SchemaDone is what an act came to.
type SchemaDone struct {
	Subject string `json:"subject"`
	// Said is a sentence for people.
	Said string `json:"said"`
}
