// Package compat tells before a merge whether changed schemas would break those who read or write
// with the schemas that are there, as `pabal schema check` does.
//
//	schemas, err := compat.Read([]compat.File{{Name: "orders-value.avsc", Text: avsc}})
//	...
//	result, err := compat.Ask(ctx, client, "orders-value", schemas[0]) // a registry
//	result, err := compat.Compare(schemas[0], before[0], compat.Backward) // without one
//
// Schemas that refer to others of the registry are read with ReadReferring. Nothing is changed, anywhere.
package compat

import (
	"context"
	"errors"
	"fmt"
	"path"
	"strings"

	"github.com/pabal-dev/pabal/kafka/registry/client"
	"github.com/pabal-dev/pabal/kafka/registry/internal/avro"
	"github.com/pabal-dev/pabal/kafka/registry/internal/jsonschema"
)

// File is the text of a schema. Its name says which type it has: .avsc is Avro, .json JSON Schema.
type File struct{ Name, Text string }

// Schema of a file.
type Schema struct {
	// Name of the file.
	Name string
	// Record is the full name of the type or, of JSON Schema, its title; it may be empty.
	Record string
	client.Schema

	avro *avro.Schema
	json *jsonschema.Schema
}

// Kinds of errors, for errors.Is.
var (
	// ErrSchema: a file is no schema, is larger than registry.DefaultLimits, or does not fit the others.
	ErrSchema = errors.New("schemas")
	// ErrLevel: there is no such level of compatibility.
	ErrLevel = errors.New("level of compatibility")
)

// Result of a comparison.
type Result struct {
	// New says that there is nothing to compare with.
	New bool `json:"new"`
	// Compatible is true where nobody would be broken.
	Compatible bool `json:"compatible"`
	// Level and Version are what it was compared as, and with, where that is known.
	Level   string `json:"level,omitempty"`
	Version string `json:"version,omitempty"`
	// Reasons say what breaks, and where in the schema.
	Reasons []string `json:"reasons,omitempty"`
}

// Ask a registry whether the schema may be the next version of a subject, at the level that the
// registry has for it. What registries let pass and readers do not, decimals with other digits than in
// the latest version, is not compatible either. Errors are those of package client.
func Ask(ctx context.Context, c *client.Client, subject string, s Schema) (Result, error) {
	latest, err := c.Latest(ctx, subject)
	if isNew(err) {
		return Result{New: true, Compatible: true}, nil
	} else if err != nil {
		return Result{}, err
	}
	messages, err := c.Compatible(ctx, subject, s.Schema)
	if err != nil {
		return Result{}, err
	}
	return askDecimals(ctx, c, subject, latest, s, read(messages))
}

// isNew is whether the registry says that the subject has no version. Any other 404, such as that of a
// wrong path in the address, says nothing about the subject.
func isNew(err error) bool {
	const noSubject, noVersion = 40401, 40402
	var answer *client.Error
	return errors.As(err, &answer) && (answer.Code == noSubject || answer.Code == noVersion)
}

// Levels of Compare.
const (
	// Backward: who has the new schema reads what was written with the old one.
	Backward = "BACKWARD"
	// Forward: who has the old schema reads what is written with the new one.
	Forward = "FORWARD"
	// Full is both.
	Full = "FULL"
)

// Compare a schema with the one before, as Ask does. The error is ErrLevel.
func Compare(s, before Schema, level string) (Result, error) {
	if level != Backward && level != Forward && level != Full {
		return Result{}, fmt.Errorf("%w: there is no %q; there are %s, %s and %s", ErrLevel, level, Backward, Forward, Full)
	}
	var messages []string
	if s.Type != before.Type {
		messages = []string{fmt.Sprintf("it is %s, and before it is %s", s.Type, before.Type)}
	} else {
		if level != Backward {
			messages = append(messages, unreadable(before, s, "old", "new")...)
		}
		if level != Forward {
			messages = append(messages, unreadable(s, before, "new", "old")...)
		}
		messages = append(messages, decimals(s.avro, before.avro)...)
	}
	out := read(messages)
	out.Level = level
	return out, nil
}

func unreadable(reader, writer Schema, readerName, writerName string) (out []string) {
	if reader.avro != nil {
		for _, d := range avro.Compare(reader.avro, writer.avro) {
			out = append(out, d.Error(readerName, writerName))
		}
		return out
	}
	for _, d := range jsonschema.Compare(writer.json, reader.json, false) {
		out = append(out, d.Error(readerName, writerName))
	}
	return out
}

// Subject names what a file's schema is registered under: "file" is the file's name without its
// ending, "topic" that with -value behind it, and "record" the full name of its record.
func Subject(rule string, s Schema) (string, error) {
	base := strings.TrimSuffix(path.Base(s.Name), path.Ext(s.Name))
	switch rule {
	case "file":
		return base, nil
	case "topic":
		return base + "-value", nil
	case "record":
		if s.Record == "" {
			return "", fmt.Errorf("%w: %s has no name that its subject could have", ErrSchema, s.Name)
		}
		return s.Record, nil
	}
	return "", fmt.Errorf("there is no rule %q for subjects; there are file, topic and record", rule)
}
