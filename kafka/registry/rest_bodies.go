package registry

import (
	"encoding/json"
	"net/http"

	"github.com/pabal-dev/pabal/kafka/registry/internal/core"
)

// schemaRequest is the body of requests with a schema.
type schemaRequest struct {
	Version    int              `json:"version"`
	ID         int              `json:"id"`
	SchemaType string           `json:"schemaType"`
	References []core.Reference `json:"references"`
	Metadata   *core.Metadata   `json:"metadata"`
	RuleSet    json.RawMessage  `json:"ruleSet"`
	Schema     string           `json:"schema"`
	TagsToAdd  []any            `json:"schemaTagsToAdd"`
	TagsToDrop []any            `json:"schemaTagsToRemove"`
	Propagate  bool             `json:"propagateSchemaTags"`
}

func readSchema(r *http.Request) (core.Request, error) {
	var body schemaRequest
	if err := read(r, &body); err != nil {
		return core.Request{}, err
	}
	if len(body.TagsToAdd)+len(body.TagsToDrop) > 0 || body.Propagate {
		return core.Request{}, &core.Error{Code: http.StatusUnprocessableEntity, Message: "This registry does not change tags in schemas (schemaTagsToAdd, schemaTagsToRemove, propagateSchemaTags)"}
	}
	if string(body.RuleSet) == "null" {
		body.RuleSet = nil
	}
	return core.Request{
		Schema: body.Schema, Type: body.SchemaType, References: body.References, Metadata: body.Metadata, RuleSet: body.RuleSet,
		ID: max(body.ID, 0), Version: max(body.Version, 0), Normalize: flag(r, "normalize"), Force: flag(r, "force"),
	}, nil
}

// versionBody is a schema with its place.
type versionBody struct {
	Subject string `json:"subject"`
	Version int    `json:"version"`
	ID      int    `json:"id"`
	schemaBody
}

// registeredBody is what registering answers: the schema without its subject.
type registeredBody struct {
	Version int `json:"version"`
	ID      int `json:"id"`
	schemaBody
}

// idBody is what asking for an id answers.
type idBody struct {
	Subject string `json:"subject,omitempty"`
	Version int    `json:"version,omitempty"`
	schemaBody
	MaxID int `json:"maxId,omitempty"`
}

type schemaBody struct {
	GUID       string           `json:"guid"`
	SchemaType string           `json:"schemaType"`
	References []core.Reference `json:"references,omitempty"`
	Metadata   *core.Metadata   `json:"metadata,omitempty"`
	RuleSet    json.RawMessage  `json:"ruleSet,omitempty"`
	Schema     string           `json:"schema"`
	Time       int64            `json:"ts,omitempty"`
	Deleted    bool             `json:"deleted"`
}

func bodyOf(v *core.Version) schemaBody {
	return schemaBody{v.GUID(), v.Type, v.References, v.Metadata, v.RuleSet, v.Schema, v.Time, v.Deleted}
}

func versionOf(v *core.Version) versionBody {
	return versionBody{v.Subject, v.Version, v.ID, bodyOf(v)}
}

// place is a version without its schema.
type place struct {
	Subject string `json:"subject"`
	Version int    `json:"version"`
}

type contextID struct {
	Context string `json:"context"`
	ID      int    `json:"id"`
}

// mostListed is how many schemas one answer has at most; mostNames how many names.
const (
	mostListed = 1000
	mostNames  = 1 << 30
)
