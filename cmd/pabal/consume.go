package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/pabal-dev/pabal/cmd/pabal/internal/text"
	"github.com/pabal-dev/pabal/console/api"
)

// Help is what --help says about the subcommand.
func (consumeCommand) Help() string {
	return `Without --from the last messages, and with --tail new ones as they come until Ctrl-C.
It reads what is committed, and belongs to no consumer group.

A filter is words that must all appear; key:, type:, id:, correlation:, value: and
header:NAME= look there only. With --output json each message is one document, in a line of its own.`
}

type consumeCommand struct {
	Topic     string `arg:"" help:"What to read."`
	From      string `help:"latest, earliest, offset:N or time:2026-01-31T12:00:00Z." placeholder:"WHERE"`
	Partition *int32 `help:"Only this partition." placeholder:"N"`
	Filter    string `help:"Only messages that match." placeholder:"WORDS"`
	Tail      bool   `help:"Go on with new messages until Ctrl-C."`
	Limit     int    `help:"How many messages at most; default 50, without a limit with --tail or 0." default:"-1" placeholder:"N"`
	Full      bool   `help:"Leave values longer than 16 KiB whole, up to 1 MiB."`
	asking
}

// errEnough ends a tail.
var errEnough = errors.New("enough")

// Run is called by kong. A tail that is interrupted has done what it should.
func (c *consumeCommand) Run(ctx context.Context, s *streams) error {
	return c.ask(ctx, func(ctx context.Context, client *api.Client) error {
		left, err := c.limit()
		if err != nil {
			return err
		}
		if !c.Tail {
			return c.read(ctx, s, client, left)
		}
		err = client.Tail(ctx, c.query(), func(m api.Message) error {
			if err := c.write(s.out, m); err != nil {
				return err
			}
			if left--; left == 0 {
				return errEnough
			}
			return nil
		})
		if errors.Is(err, errEnough) || ctx.Err() != nil {
			return nil
		}
		return err
	})
}

// limit is how many; below 0 is without an end.
func (c *consumeCommand) limit() (int, error) {
	switch {
	case c.Limit < -1:
		return 0, wrongUse("--limit=%d: it is 0 for all, or how many", c.Limit)
	case c.Limit == 0 || c.Limit == -1 && c.Tail:
		return -1, nil
	case c.Limit == -1:
		return 50, nil
	}
	return c.Limit, nil
}

func (c *consumeCommand) query() api.MessageQuery {
	return api.MessageQuery{Topic: c.Topic, Partition: c.Partition, From: c.From, Filter: c.Filter, Full: c.Full}
}

// read asks for page after page until the topic's end.
func (c *consumeCommand) read(ctx context.Context, s *streams, client *api.Client, left int) error {
	for q := c.query(); ; {
		q.Limit = maxPage
		if left >= 0 {
			q.Limit = min(maxPage, left)
		}
		page, err := client.Messages(ctx, q)
		if err != nil {
			return err
		}
		for _, m := range page.Items {
			if err := c.write(s.out, m); err != nil {
				return err
			}
		}
		if page.Note != "" {
			fmt.Fprintf(s.err, "%s\n", text.Safe(page.Note))
		}
		if left >= 0 {
			left -= len(page.Items)
		}
		if page.Next == "" || left == 0 || page.Next == q.From {
			return nil
		}
		q.From = page.Next
	}
}

// write writes a message as one line.
func (c *consumeCommand) write(w io.Writer, m api.Message) error {
	if c.json() {
		encoder := json.NewEncoder(w)
		encoder.SetEscapeHTML(false)
		return encoder.Encode(m)
	}
	_, err := fmt.Fprintln(w, line(m))
	return err
}

func line(m api.Message) string {
	parts := []string{fmt.Sprintf("%s/%d@%d", text.Safe(m.Topic), m.Partition, m.Offset), text.Time(m.Timestamp), data(m.Key)}
	if m.Event != nil {
		parts = append(parts, text.Safe(m.Event.Type))
	}
	return strings.Join(append(parts, data(m.Value)), "  ")
}

// data is a key or a value in one line.
func data(d api.Data) string {
	out := ""
	switch d.Format {
	case "null":
		return "(null)"
	case "binary":
		out = fmt.Sprintf("(%d bytes, binary)", d.Size)
	case "json":
		out = text.Safe(compact(d.Text))
	default:
		out = text.Safe(d.Text)
	}
	if d.Cut && d.Format != "binary" {
		out += fmt.Sprintf("… (%d bytes)", d.Size)
	}
	return out
}

// compact takes the line breaks out of JSON; what is cut is left as it is.
func compact(text string) string {
	var b bytes.Buffer
	if json.Compact(&b, []byte(text)) != nil {
		return text
	}
	return b.String()
}
