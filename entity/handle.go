package entity

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/pabal-dev/pabal/event"
	"github.com/pabal-dev/pabal/inbox"
	"github.com/pabal-dev/pabal/outbox"
)

// Headers of commands and replies.
const (
	// HeaderReplyKey of a command is the key its reply gets, which is on the caller's
	// partition of the reply topic. Without it there is no reply.
	HeaderReplyKey = "pabal-reply-key"
	// HeaderDeadline of a command is when its caller stops waiting, RFC 3339.
	HeaderDeadline = "pabal-deadline"
	// HeaderOutcome of a reply is one of the outcomes.
	HeaderOutcome = "pabal-outcome"
)

// Outcomes of a command. The causation id of a reply is the command's id.
const (
	// Replied: the payload is the reply.
	Replied = "replied"
	// Refused: the payload is a Refusal as JSON, the type RefusalType.
	Refused = "refused"
	// Failed: the command is a dead letter; the payload is as of Refused. It is sent
	// as well as can be, others are sent once.
	Failed = "failed"
)

// RefusalType is the event type of refusals and failures.
const RefusalType = "pabal.refusal"

// Codes of refusals that a Server makes by itself.
const (
	// CodeMalformed: the command could not be read, or its type is not known.
	CodeMalformed = "malformed-command"
	// CodeDeadline: the caller's deadline had passed.
	CodeDeadline = "deadline-passed"
	// CodeFailed is that of a failure.
	CodeFailed = "command-failed"
)

// handle carries out one command in the consumer's transaction.
func (s *Server[T, C, S, R]) handle(ctx context.Context, tx T, m inbox.Message) error {
	found, _ := s.units.Load(any(tx))
	u := found.(*unit[C, S, R])
	reply, err := s.carryOut(ctx, u, m)
	if refusal := (*Refusal)(nil); errors.As(err, &refusal) {
		return s.refuse(ctx, u, m, Refused, refusal)
	}
	if err != nil {
		s.giveNotice(ctx, u, m, err)
		return err
	}
	return s.reply(ctx, u, m, reply)
}

func (s *Server[T, C, S, R]) carryOut(ctx context.Context, u *unit[C, S, R], m inbox.Message) (reply R, err error) {
	command, err := guard("the codec", func() (C, error) { return s.cfg.Commands.Decode(m.Event) })
	if err == nil {
		_, err = identify(s.host.EntityType(), m.Key)
	}
	switch {
	case err != nil && m.Headers[HeaderReplyKey] != "":
		return reply, Refuse(CodeMalformed, "%v", err)
	case err != nil:
		return reply, inbox.Permanent(err)
	case s.late(m):
		return reply, Refuse(CodeDeadline, "the caller waited until %s", m.Headers[HeaderDeadline])
	}
	return u.perform(ctx, m.Key, command, &m.Event)
}

func (s *Server[T, C, S, R]) late(m inbox.Message) bool {
	if !s.cfg.HonourDeadlines {
		return false
	}
	deadline, err := time.Parse(time.RFC3339Nano, m.Headers[HeaderDeadline])
	return err == nil && s.host.now().After(deadline)
}

func (s *Server[T, C, S, R]) reply(ctx context.Context, u *unit[C, S, R], m inbox.Message, reply R) error {
	if m.Headers[HeaderReplyKey] == "" {
		return nil
	}
	eventType, contentType, payload, err := s.cfg.Replies.Encode(reply)
	if err != nil {
		return fmt.Errorf("the reply to %s: %w", m.ID, err)
	}
	if eventType == "" {
		eventType = s.cfg.ReplyTopic
	}
	return s.send(ctx, &u.messages, m, event.Event{Type: eventType, ContentType: contentType, Payload: payload}, Replied)
}

func (s *Server[T, C, S, R]) refuse(ctx context.Context, u *unit[C, S, R], m inbox.Message, outcome string, r *Refusal) error {
	if m.Headers[HeaderReplyKey] == "" {
		return nil
	}
	payload, err := event.JSON.Encode(r)
	if err != nil {
		return err
	}
	to := &u.messages
	if outcome == Failed {
		to = &u.notices
	}
	return s.send(ctx, to, m, event.Event{Type: RefusalType, ContentType: event.JSON.ContentType(), Payload: payload}, outcome)
}

// giveNotice prepares the news that a command is about to become a dead letter.
func (s *Server[T, C, S, R]) giveNotice(ctx context.Context, u *unit[C, S, R], m inbox.Message, err error) {
	if m.Attempt < s.cfg.Attempts || s.transient(err) {
		return
	}
	_ = s.refuse(ctx, u, m, Failed, &Refusal{Code: CodeFailed, Reason: err.Error()})
}

// send puts an answer into the outbox of the transaction, on the caller's key.
func (s *Server[T, C, S, R]) send(ctx context.Context, to *[]outbox.Message, m inbox.Message, e event.Event, outcome string) error {
	e.ID, e.Key, e.Time = event.NewID(), m.Headers[HeaderReplyKey], s.host.now()
	e = e.CausedBy(m.Event).WithHeader(HeaderOutcome, outcome)
	if err := e.Validate(); err != nil {
		return fmt.Errorf("the reply to %s: %w", m.ID, err)
	}
	answer := []outbox.Message{{Topic: s.cfg.ReplyTopic, Event: e}}
	route(ctx, answer, nil)
	*to = append(*to, answer...)
	return nil
}
