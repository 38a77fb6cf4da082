package compat

import (
	"context"
	"fmt"
	"strconv"

	"github.com/pabal-dev/pabal/kafka/registry/client"
	"github.com/pabal-dev/pabal/kafka/registry/internal/avro"
	"github.com/pabal-dev/pabal/kafka/registry/internal/references"
	"github.com/pabal-dev/pabal/kafka/registry/internal/tree"
)

// decimals are messages about those with other digits. They break who reads, old or new.
func decimals(now, before *avro.Schema) (out []string) {
	if now == nil || before == nil {
		return nil
	}
	for _, d := range avro.Decimals(now, before) {
		out = append(out, d.Error("new", "old"))
	}
	return out
}

// askDecimals adds them to what the registry says, unless nothing is to be compared there. A latest
// version that only the registry can read is left to what it says.
func askDecimals(ctx context.Context, c *client.Client, subject string, latest client.Registered, s Schema, said Result) (Result, error) {
	if s.avro == nil || latest.Type != "" && latest.Type != client.Avro {
		return said, nil
	}
	refs, err := references.Fetch(ctx, c, latest.References)
	if err != nil {
		return Result{}, fmt.Errorf("version %d of %s: %w", latest.Version, subject, err)
	}
	before, err := parse(latest.Text, refs)
	if err != nil {
		return said, nil
	}
	messages := decimals(s.avro, before)
	if len(messages) == 0 {
		return said, nil
	}
	level, err := c.Level(ctx, subject)
	if err != nil {
		return Result{}, err
	}
	if level == "NONE" {
		return said, nil
	}
	if said.Compatible {
		said = Result{Level: level, Version: strconv.Itoa(latest.Version)}
	}
	said.Reasons = append(said.Reasons, read(messages).Reasons...)
	return said, nil
}

func parse(text string, refs []references.Schema) (*avro.Schema, error) {
	texts := make([]string, len(refs))
	for i, r := range refs {
		texts[i] = r.Text
	}
	return avro.Parse(text, texts, tree.Limits{})
}
