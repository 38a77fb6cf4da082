package api

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
)

// maxEvent bounds one event of a stream, in bytes.
const maxEvent = 4 << 20

// Tail implements Topics. Where the stream breaks it returns an error; messages may
// have been missed then.
func (c *Client) Tail(ctx context.Context, q MessageQuery, fn func(Message) error) error {
	values, err := EncodeQuery(q)
	if err != nil {
		return err
	}
	values.Del("topic")
	return c.stream(ctx, path("topics", q.Topic, "tail")+"?"+values.Encode(), func(name string, data []byte) error {
		if name != "message" {
			return nil
		}
		var m Message
		if err := json.Unmarshal(data, &m); err != nil {
			return fmt.Errorf("the console sent what is no message: %w", err)
		}
		return fn(m)
	})
}

// Events calls fn with what changes until ctx ends or fn fails: an Overview about
// every second, and each Violation that begins.
func (c *Client) Events(ctx context.Context, fn func(any) error) error {
	return c.stream(ctx, "events", func(name string, data []byte) error {
		switch name {
		case "overview":
			return decoded[Overview](data, fn)
		case "violation":
			return decoded[Violation](data, fn)
		}
		return nil
	})
}

func decoded[T any](data []byte, fn func(any) error) error {
	var v T
	if err := json.Unmarshal(data, &v); err != nil {
		return fmt.Errorf("the console sent what is no event: %w", err)
	}
	return fn(v)
}

// stream reads server-sent events.
func (c *Client) stream(ctx context.Context, target string, fn func(name string, data []byte) error) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	res, err := c.send(ctx, http.MethodGet, target, nil, "text/event-stream")
	if err != nil {
		return err
	}
	defer res.Body.Close()
	lines := bufio.NewScanner(res.Body)
	lines.Buffer(nil, maxEvent)
	name, data := "", bytes.Buffer{}
	for lines.Scan() {
		field, value, _ := strings.Cut(lines.Text(), ":")
		value = strings.TrimPrefix(value, " ")
		switch {
		case lines.Text() == "" && name == "problem":
			return streamProblem(data.Bytes())
		case lines.Text() == "" && data.Len() > 0:
			if err := fn(name, data.Bytes()); err != nil {
				return err
			}
			name = ""
			data.Reset()
		case field == "event":
			name = value
		case field == "data":
			data.WriteString(value)
		}
	}
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	if err := lines.Err(); err != nil {
		return c.away(err)
	}
	return fmt.Errorf("%w: the console ended the stream", ErrUnavailable)
}

// streamProblem is an error that came after the stream had begun.
func streamProblem(data []byte) error {
	p := &Problem{}
	if err := json.Unmarshal(data, p); err != nil {
		return fmt.Errorf("the console sent what is no problem: %w", err)
	}
	return p
}
