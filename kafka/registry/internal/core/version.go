package core

import (
	"cmp"
	"crypto/md5"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"sync"
)

// Types of schemas.
const (
	Avro = "AVRO"
	JSON = "JSON"
)

// Reference to a version of a subject by the name that the schema has for it.
type Reference struct {
	Name    string `json:"name"`
	Subject string `json:"subject"`
	Version int    `json:"version"`
}

// Metadata of a schema; the registry keeps it and reads the properties for compatibilityGroup.
type Metadata struct {
	Tags       map[string][]string `json:"tags,omitempty"`
	Properties map[string]string   `json:"properties,omitempty"`
	Sensitive  []string            `json:"sensitive,omitempty"`
}

// Version of a subject. It is not changed once it is in a State.
type Version struct {
	Subject    string
	Version    int
	ID         int
	Type       string
	References []Reference
	Metadata   *Metadata
	RuleSet    json.RawMessage
	Schema     string
	Deleted    bool
	// Time of the record, in milliseconds.
	Time int64

	hash [md5.Size]byte
	// parsed is what parsing said once.
	parse  sync.Once
	parsed format
	failed error
}

// GUID is the same wherever the same schema is registered.
func (v *Version) GUID() string {
	h := v.hash
	return fmt.Sprintf("%x-%x-%x-%x-%x", h[:4], h[4:6], h[6:8], h[8:10], h[10:])
}

// deleted is a copy that is.
func (v *Version) deleted() *Version {
	return &Version{
		Subject: v.Subject, Version: v.Version, ID: v.ID, Type: v.Type, References: v.References, Metadata: v.Metadata,
		RuleSet: v.RuleSet, Schema: v.Schema, Deleted: true, Time: v.Time, hash: v.hash,
	}
}

// sum tells schemas apart, as Confluent's registry does.
func (v *Version) sum() [md5.Size]byte {
	h := md5.New()
	write := func(s string) { h.Write([]byte(s)) }
	write(v.Schema)
	for _, r := range v.References {
		write(r.Name)
		write(r.Subject)
		h.Write(binary.BigEndian.AppendUint32(nil, uint32(r.Version)))
	}
	if m := v.Metadata; m != nil {
		write("\x01")
		for _, tag := range slices.Sorted(maps.Keys(m.Tags)) {
			write(tag)
			write(strings.Join(slices.Sorted(slices.Values(m.Tags[tag])), ""))
		}
		for _, name := range slices.Sorted(maps.Keys(m.Properties)) {
			write(name)
			write(m.Properties[name])
		}
		write(strings.Join(slices.Sorted(slices.Values(m.Sensitive)), ""))
	}
	if len(v.RuleSet) > 0 {
		write("\x01")
		h.Write(v.RuleSet)
	}
	return [md5.Size]byte(h.Sum(nil))
}

// key is how messages name it.
func (v *Version) key() string {
	return fmt.Sprintf("{magic=1,keytype=SCHEMA,subject=%s,version=%d}", v.Subject, v.Version)
}

func compareVersions(a, b *Version) int {
	return cmp.Or(compareSubjects(a.Subject, b.Subject), cmp.Compare(a.Version, b.Version))
}

// compareSubjects sorts by context first.
func compareSubjects(a, b string) int {
	contextA, nameA := Split(a)
	contextB, nameB := Split(b)
	return cmp.Or(cmp.Compare(contextA, contextB), cmp.Compare(nameA, nameB))
}

// Latest stands for the highest version that is not deleted.
const Latest = -1

// ParseVersion reads a version of a path: a number from 1, or "latest" or -1.
func ParseVersion(text string) (int, error) {
	text = strings.TrimSpace(text)
	if strings.EqualFold(text, "latest") {
		return Latest, nil
	}
	n, err := strconv.ParseInt(text, 10, 32)
	if err != nil || n < 1 && n != Latest {
		return 0, errorf(InvalidVersion, "The specified version '%s' is not a valid version id. Allowed values are between [1, 2^31-1] and the string \"latest\"", text)
	}
	return int(n), nil
}
