package core

import (
	"bytes"
	"encoding/json"
	"fmt"
)

// Record of the topic.
type Record struct {
	Key []byte
	// Value is nil where the key is deleted.
	Value []byte
}

// Types of keys.
const (
	keySchema        = "SCHEMA"
	keyConfig        = "CONFIG"
	keyMode          = "MODE"
	keyNoop          = "NOOP"
	keyContext       = "CONTEXT"
	keyDeleteSubject = "DELETE_SUBJECT"
	keyClearSubject  = "CLEAR_SUBJECT"
)

// recordKey in the order in which Confluent's registry writes it: the topic is compacted by it.
type recordKey struct {
	Type    string `json:"keytype"`
	Tenant  string `json:"tenant,omitempty"`
	Context string `json:"context,omitempty"`
	Subject string `json:"subject,omitempty"`
	Version int    `json:"version,omitempty"`
	Magic   int    `json:"magic"`
}

type schemaValue struct {
	Subject    string          `json:"subject"`
	Version    int             `json:"version"`
	ID         int             `json:"id"`
	MD5        []byte          `json:"md5,omitempty"`
	SchemaType string          `json:"schemaType,omitempty"`
	References []Reference     `json:"references,omitempty"`
	Metadata   *Metadata       `json:"metadata,omitempty"`
	RuleSet    json.RawMessage `json:"ruleSet,omitempty"`
	Schema     string          `json:"schema"`
	Deleted    bool            `json:"deleted"`
}

type modeValue struct {
	Subject string `json:"subject,omitempty"`
	Mode    Mode   `json:"mode"`
}

type subjectValue struct {
	Subject string `json:"subject,omitempty"`
	Version int    `json:"version,omitempty"`
}

type contextValue struct {
	Tenant  string `json:"tenant"`
	Context string `json:"context"`
}

// noopValue keeps the ids that were given when their records are gone. Confluent's registry reads
// no value of this key.
type noopValue struct {
	HighestIDs map[string]int `json:"highestIds"`
}

const defaultTenant = "default"

func schemaKey(subject string, version int) []byte {
	return marshal(recordKey{Type: keySchema, Subject: subject, Version: version, Magic: 1})
}

func put(v *Version) Record {
	return Record{schemaKey(v.Subject, v.Version), marshal(schemaValue{
		Subject: v.Subject, Version: v.Version, ID: v.ID, SchemaType: v.Type, References: v.References,
		Metadata: v.Metadata, RuleSet: v.RuleSet, Schema: v.Schema, Deleted: v.Deleted,
	})}
}

func remove(v *Version) Record { return Record{Key: schemaKey(v.Subject, v.Version)} }

func settingKey(kind, subject string) []byte {
	return marshal(recordKey{Type: kind, Subject: subject})
}

// marshal is json.Marshal without escapes that only HTML needs; what is given cannot fail.
func marshal(v any) []byte {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(v); err != nil {
		panic(fmt.Sprintf("registry: write %T: %v", v, err))
	}
	return bytes.TrimSuffix(b.Bytes(), []byte("\n"))
}
