package sql

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/pabal-dev/pabal/connect/plugin"
)

// task writes with one connection, which is opened when it is needed.
type task struct {
	*settings
	session session              // nil where there is none
	tables  map[tableName]*table // that were looked up
}

// putTimeout bounds one batch: less than a consumer may take before its partitions go to others.
const putTimeout = 45 * time.Second

// Put implements plugin.SinkTask.
func (t *task) Put(ctx context.Context, records []plugin.SinkRecord) error {
	bounded, cancel := context.WithTimeout(ctx, putTimeout)
	defer cancel()
	err := t.put(bounded, records)
	var record *plugin.RecordError
	switch {
	case err == nil || errors.As(err, &record):
		return err
	case ctx.Err() != nil:
		t.disconnect()
		return ctx.Err()
	case t.dialect.passing(err):
		t.disconnect()
		return fmt.Errorf("sql: %w: %s", plugin.ErrRetry, t.hidden(err))
	}
	if t.session != nil && t.session.closed() {
		t.disconnect()
	}
	return fmt.Errorf("sql: %s", t.hidden(err))
}

func (t *task) put(ctx context.Context, records []plugin.SinkRecord) error {
	if err := t.connect(ctx); err != nil {
		return err
	}
	p := plan{settings: t.settings, open: map[tableName]*batch{}}
	end := len(records)
	var refusal error
	for i := range records {
		err := t.add(ctx, &p, &records[i])
		if errors.As(err, new(*refused)) {
			end, refusal = i, recordError(i, err)
			break
		}
		if err != nil {
			return err
		}
	}
	err := t.run(ctx, &p)
	if err == nil {
		return refusal
	}
	if t.dialect.passing(err) || ctx.Err() != nil {
		return err
	}
	if err := t.oneByOne(ctx, records[:end]); err != nil {
		return err
	}
	return refusal
}

// oneByOne finds the record that the server refuses. What is known of the tables may be what is
// wrong, so they are looked up again.
func (t *task) oneByOne(ctx context.Context, records []plugin.SinkRecord) error {
	clear(t.tables)
	for i := range records {
		p := plan{settings: t.settings, open: map[tableName]*batch{}}
		err := t.add(ctx, &p, &records[i])
		if err == nil {
			err = t.run(ctx, &p)
		}
		if errors.As(err, new(*refused)) || t.dialect.refusable(err) {
			return recordError(i, err)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

func recordError(i int, err error) error {
	return &plugin.RecordError{Index: i, Err: fmt.Errorf("sql: %w", err)}
}

// add what a record does to the plan.
func (t *task) add(ctx context.Context, p *plan, r *plugin.SinkRecord) error {
	c, err := t.changeOf(r)
	if err != nil {
		return &refused{err}
	}
	if c == nil {
		return nil
	}
	target, err := t.tableFor(ctx, c)
	if target == nil || err != nil {
		return err
	}
	return p.add(target, c)
}

// run a plan in one transaction.
func (t *task) run(ctx context.Context, p *plan) error {
	if len(p.batches) == 0 {
		return nil
	}
	return t.session.run(ctx, p.batches, t.mode)
}

func (t *task) connect(ctx context.Context) (err error) {
	if t.session != nil && !t.session.closed() {
		return nil
	}
	t.disconnect()
	t.session, err = t.dialect.open(ctx, t.settings)
	return err
}

// disconnect forgets what is known of the tables, too: the server may be another one next time.
func (t *task) disconnect() {
	if t.session == nil {
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), closeTimeout)
	defer cancel()
	t.session.close(ctx)
	t.session = nil
	clear(t.tables)
}

// Close implements plugin.SinkTask.
func (t *task) Close(context.Context) error {
	t.disconnect()
	return nil
}
