package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"time"

	"github.com/pabal-dev/pabal/cmd/pabal/internal/text"
	"github.com/pabal-dev/pabal/console/api"
	"github.com/pabal-dev/pabal/saga"
)

type sagasCommand struct {
	List    sagasList    `cmd:"" default:"withargs" help:"List sagas, those that have not ended."`
	Counts  sagasCounts  `cmd:"" help:"Count sagas by name and status."`
	Show    sagasShow    `cmd:"" help:"Show a saga: what it waits for, its steps, timers and timeline."`
	Retry   sagasRetry   `cmd:"" help:"Send a step's message again, with all its attempts."`
	Skip    sagasSkip    `cmd:"" help:"Go on as if a step had not been there."`
	Force   sagasForce   `cmd:"" help:"Go on as if a step's answer had come and were good."`
	Resolve sagasResolve `cmd:"" help:"End a saga where it stands."`
}

type sagasList struct {
	Service     string        `help:"Only those of this service." placeholder:"SERVICE"`
	Name        string        `help:"Only sagas of this name." placeholder:"NAME"`
	Status      string        `help:"open (has not ended), all, NEEDS_REVIEW, COMPENSATING, RUNNING, COMPLETED, COMPENSATED or RESOLVED; default open, all with --id and --correlation." enum:",open,all,NEEDS_REVIEW,COMPENSATING,RUNNING,COMPLETED,COMPENSATED,RESOLVED" default:"" placeholder:"STATUS"`
	ID          string        `name:"id" help:"Only the saga with this id." placeholder:"ID"`
	Correlation string        `help:"Only sagas of this business transaction." placeholder:"ID"`
	Older       time.Duration `help:"Only those that started longer ago, such as 10m." placeholder:"AGE"`
	After       string        `help:"Go on where a list ended." placeholder:"CURSOR"`
	Limit       int           `help:"How many at most, 0 for all; default ${default}." default:"100" placeholder:"N"`
	asking
}

// Run is called by kong.
func (c *sagasList) Run(ctx context.Context, s *streams) error {
	q, err := c.query()
	if err != nil {
		return err
	}
	return c.ask(ctx, func(ctx context.Context, client *api.Client) error {
		list, err := c.collect(ctx, client, q)
		if err != nil {
			return err
		}
		notAsked(s, list.Problems)
		if list.Next != nil && !c.json() {
			after, _ := json.Marshal(list.Next) // texts and a time
			defer fmt.Fprintf(s.err, "There is more: --after=%s\n", shellWord(string(after)))
		}
		return c.show(s, list, func(w io.Writer) { writeSagas(w, list.Items) })
	})
}

func (c *sagasList) query() (api.SagaQuery, error) {
	q := api.SagaQuery{Service: c.Service, Name: c.Name, ID: c.ID, CorrelationID: c.Correlation}
	switch {
	case c.Limit < 0:
		return q, wrongUse("--limit=%d: it is 0 for all, or how many", c.Limit)
	case c.Older < 0:
		return q, wrongUse("--older=%s: an age is not negative", c.Older)
	case c.Older > 0:
		q.StartedBefore = time.Now().Add(-c.Older).UTC().Format(time.RFC3339Nano)
	}
	switch {
	case c.Status == "open", c.Status == "" && c.ID == "" && c.Correlation == "":
		q.Status = []saga.Status{saga.NeedsReview, saga.Compensating, saga.Running}
	case c.Status != "" && c.Status != "all":
		q.Status = []saga.Status{saga.Status(c.Status)}
	}
	if c.After != "" {
		if err := json.Unmarshal([]byte(c.After), &q.After); err != nil {
			return q, wrongUse("--after: it is what a list ended with, such as '{\"started\":…}'")
		}
	}
	return q, nil
}

// collect asks for page after page.
func (c *sagasList) collect(ctx context.Context, client *api.Client, q api.SagaQuery) (api.SagaList, error) {
	all := api.SagaList{Items: []api.Saga{}}
	for {
		q.Limit = saga.MaxInspect
		if c.Limit > 0 {
			q.Limit = min(q.Limit, c.Limit-len(all.Items))
		}
		page, err := client.Sagas(ctx, q)
		if err != nil {
			return all, err
		}
		all.Items = append(all.Items, page.Items...)
		all.Next, all.Problems = page.Next, page.Problems
		if page.Next == nil || c.Limit > 0 && len(all.Items) >= c.Limit {
			return all, nil
		}
		q.After = page.Next
	}
}

// notAsked says on standard error whose answer is missing.
func notAsked(s *streams, problems []string) {
	for _, problem := range problems {
		fmt.Fprintf(s.err, "Not asked: %s\n", text.Safe(problem))
	}
}

func writeSagas(w io.Writer, all []api.Saga) {
	var rows [][]string
	for _, one := range all {
		rows = append(rows, []string{one.Service, one.Name, one.ID, string(one.Status), one.Current, text.Time(one.Started), text.Time(one.Changed),
			text.Time(one.Due), text.Cut(one.Reason, 80)})
	}
	text.Table(w, []string{"SERVICE", "SAGA", "ID", "STATUS", "AT STEP", "STARTED", "CHANGED", "NEXT TIMER", "REASON"}, rows)
}

type sagasCounts struct{ asking }

// Run is called by kong.
func (c *sagasCounts) Run(ctx context.Context, s *streams) error {
	return c.ask(ctx, func(ctx context.Context, client *api.Client) error {
		counts, err := client.SagaCounts(ctx)
		if err != nil {
			return err
		}
		notAsked(s, counts.Problems)
		return c.show(s, counts, func(w io.Writer) {
			var rows [][]string
			for _, n := range counts.Items {
				rows = append(rows, []string{n.Service, n.Name, string(n.Status), text.Number(n.Count.Count), text.Time(n.Oldest)})
			}
			text.Table(w, []string{"SERVICE", "SAGA", "STATUS", "COUNT", "OLDEST STARTED"}, rows)
		})
	})
}
