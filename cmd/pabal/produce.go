package main

import (
	"context"
	"fmt"
	"io"
	"unicode/utf8"

	"github.com/pabal-dev/pabal/cmd/pabal/internal/text"
	"github.com/pabal-dev/pabal/console/api"
)

// Help is what --help says about the subcommand.
func (produceCommand) Help() string {
	return `The value is the second argument, or all of standard input: at most 1 MiB, binary
too. With --type it becomes a CloudEvent with a fresh id.`
}

type produceCommand struct {
	Topic       string            `arg:"" help:"Where to write; it must exist."`
	Value       *string           `arg:"" optional:"" help:"The message's value; standard input where it is missing."`
	Key         string            `help:"The message's key." placeholder:"KEY"`
	Partition   *int32            `help:"The partition; default is the key's." placeholder:"N"`
	Header      map[string]string `help:"Headers." placeholder:"NAME=VALUE"`
	Type        string            `help:"Make it a CloudEvent of that type." placeholder:"TYPE"`
	Correlation string            `help:"The event's correlation id; default is its own id." placeholder:"ID"`
	Tombstone   bool              `help:"Write no value, which deletes the key in a compacted topic."`
	asking
}

// Run is called by kong.
func (c *produceCommand) Run(ctx context.Context, s *streams) error {
	m, err := c.message(s)
	if err != nil {
		return err
	}
	return c.ask(ctx, func(ctx context.Context, client *api.Client) error {
		produced, err := client.Produce(ctx, m)
		if err != nil {
			return err
		}
		return c.show(s, produced, func(w io.Writer) {
			fmt.Fprintf(w, "%s/%d@%d", text.Safe(produced.Topic), produced.Partition, produced.Offset)
			if produced.EventID != "" {
				fmt.Fprintf(w, " event %s", text.Safe(produced.EventID))
			}
			fmt.Fprintln(w)
		})
	})
}

// mostValue is the console's limit, in bytes.
const mostValue = 1 << 20

func (c *produceCommand) message(s *streams) (api.ProduceRequest, error) {
	m := api.ProduceRequest{
		Topic: c.Topic, Partition: c.Partition, Key: c.Key, Headers: c.Header,
		Type: c.Type, Correlation: c.Correlation, Tombstone: c.Tombstone,
	}
	switch {
	case c.Tombstone && c.Value != nil:
		return m, wrongUse("a tombstone has no value")
	case c.Tombstone:
		return m, nil
	case c.Value != nil:
		m.Value = *c.Value
		return m, nil
	case isTerminal(s.in):
		return m, wrongUse("there is no value: give it as an argument, or on standard input")
	}
	data, err := io.ReadAll(io.LimitReader(s.in, mostValue+1))
	switch {
	case err != nil:
		return m, fmt.Errorf("read the value from standard input: %w", err)
	case len(data) > mostValue:
		return m, wrongUse("the value has more than %d bytes", mostValue)
	case utf8.Valid(data):
		m.Value = string(data)
	default:
		m.ValueBase64 = data
	}
	return m, nil
}
