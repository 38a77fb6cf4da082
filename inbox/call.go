package inbox

import (
	"context"
	"fmt"
	"log/slog"
	"runtime/debug"
)

func (a *applier) message(i item, attempt int) Message {
	return Message{Event: i.event, Topic: a.claim.Topic, Partition: a.claim.Partition.Partition, Offset: i.offset, Attempt: attempt}
}

// call runs the handler of one message, with a group of one where the topic has
// a handler of groups.
func (a *applier) call(ctx context.Context, tx Tx, m Message) (err error) {
	ctx, span := startSpan(ctx, a.cfg.Name, m)
	defer func() { endSpan(span, err) }()
	defer a.recovered(&err, m)
	if group := a.cfg.Groups[m.Topic]; group != nil {
		return group(ctx, tx, []Message{m})
	}
	return a.cfg.Topics[m.Topic](ctx, tx, m)
}

func (a *applier) callGroup(ctx context.Context, tx Tx, ms []Message) (err error) {
	if len(ms) == 1 {
		return a.call(ctx, tx, ms[0])
	}
	ctx, span := startGroupSpan(ctx, a.cfg.Name, ms)
	defer func() { endSpan(span, err) }()
	defer a.recovered(&err, ms[0])
	return a.cfg.Groups[ms[0].Topic](ctx, tx, ms)
}

// recovered makes a handler's panic its error.
func (a *applier) recovered(err *error, m Message) {
	if p := recover(); p != nil {
		*err = fmt.Errorf("panic: %v", p)
		a.panics.Log(a.log, slog.LevelError, "handler panicked", "topic", m.Topic, "partition", m.Partition, "offset", m.Offset, "id", m.ID,
			"panic", p, "stack", string(debug.Stack()))
	}
}
