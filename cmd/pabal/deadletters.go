package main

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"os"

	"github.com/pabal-dev/pabal/cmd/pabal/internal/text"
	"github.com/pabal-dev/pabal/console/api"
)

type deadLettersCommand struct {
	List    deadLettersList    `cmd:"" default:"withargs" help:"List kinds of failures, by fingerprint."`
	Letters deadLettersLetters `cmd:"" help:"List dead letters, the newest first."`
	Show    deadLettersShow    `cmd:"" help:"Show one dead letter with its message."`
	Redrive deadLettersRedrive `cmd:"" help:"Send dead letters again."`
	Jobs    deadLettersJobs    `cmd:"" help:"List redrives, or show one."`
	Cancel  deadLettersCancel  `cmd:"" help:"Stop a redrive where it is."`
}

type deadLettersList struct {
	Closed bool `help:"Also kinds without an open letter."`
	listing
	asking
}

// Run is called by kong.
func (c *deadLettersList) Run(ctx context.Context, s *streams) error {
	return c.ask(ctx, func(ctx context.Context, client *api.Client) error {
		if err := c.check(); err != nil {
			return err
		}
		page, err := collect(c.listing, func(q api.PageQuery) (api.Page[api.Fingerprint], error) {
			return client.Fingerprints(ctx, api.FingerprintQuery{PageQuery: q, Closed: c.Closed})
		})
		if err != nil {
			return err
		}
		defer c.more(s, page.Next)
		return c.show(s, page, func(w io.Writer) {
			var rows [][]string
			for _, f := range page.Items {
				rows = append(rows, []string{f.ID, text.Number(f.Open), text.Number(f.Redriven), text.Number(f.Handled), text.Number(f.Renewed),
					cmp.Or(f.Consumer, f.Outbox), f.Topic, text.Time(f.Last), text.Cut(f.Error, 60)})
			}
			text.Table(w, []string{"FINGERPRINT", "OPEN", "REDRIVEN", "HANDLED", "RENEWED", "GIVEN UP BY", "TOPIC", "LAST", "ERROR"}, rows)
		})
	})
}

type deadLettersLetters struct {
	Fingerprint string `arg:"" optional:"" help:"Only this kind of failure."`
	State       string `help:"open, redriven, handled or renewed; all where it is missing." enum:",open,redriven,handled,renewed" default:"" placeholder:"STATE"`
	listing
	asking
}

// Run is called by kong.
func (c *deadLettersLetters) Run(ctx context.Context, s *streams) error {
	return c.ask(ctx, func(ctx context.Context, client *api.Client) error {
		if err := c.check(); err != nil {
			return err
		}
		page, err := collect(c.listing, func(q api.PageQuery) (api.Page[api.DeadLetter], error) {
			return client.Letters(ctx, api.LetterQuery{PageQuery: q, Fingerprint: c.Fingerprint, State: c.State})
		})
		if err != nil {
			return err
		}
		defer c.more(s, page.Next)
		return c.show(s, page, func(w io.Writer) { writeLetters(w, page.Items) })
	})
}

func writeLetters(w io.Writer, letters []api.DeadLetter) {
	var rows [][]string
	for _, l := range letters {
		rows = append(rows, []string{l.ID, l.State, cmp.Or(l.Consumer, l.Outbox), l.Topic, l.Event.Key, l.Event.Type,
			text.Time(l.At), text.Number(l.Attempts), text.Cut(cmp.Or(l.Obstacle, l.Error), 60)})
	}
	text.Table(w, []string{"LETTER", "STATE", "GIVEN UP BY", "TOPIC", "KEY", "TYPE", "AT", "ATTEMPTS", "ERROR"}, rows)
}

type deadLettersShow struct {
	Letter string `arg:"" help:"Its id: topic/partition/offset."`
	asking
}

// Run is called by kong.
func (c *deadLettersShow) Run(ctx context.Context, s *streams) error {
	return c.ask(ctx, func(ctx context.Context, client *api.Client) error {
		l, err := client.Letter(ctx, c.Letter)
		if err != nil {
			return err
		}
		return c.show(s, l, func(w io.Writer) { writeLetter(w, l) })
	})
}

func writeLetter(w io.Writer, l api.DeadLetter) {
	place := l.Topic
	if l.Offset >= 0 {
		place = fmt.Sprintf("%s/%d@%d", l.Topic, l.Partition, l.Offset)
	}
	text.Fields(w, "letter", l.ID, "state", l.State, "fingerprint", l.Fingerprint, "consumer", l.Consumer, "outbox", l.Outbox,
		"from", place, "error", l.Error, "attempts", text.Number(l.Attempts), "failures", text.Number(l.Failures), "at", text.Time(l.At),
		"obstacle", l.Obstacle, "event", l.Event.ID, "type", l.Event.Type, "key", l.Event.Key, "correlation", l.Event.CorrelationID)
	if l.Message == nil {
		return
	}
	for _, h := range l.Message.Headers {
		fmt.Fprintf(w, "\n%s: %s", text.Safe(h.Key), data(h.Value))
	}
	fmt.Fprintf(w, "\n\n%s\n", data(l.Message.Value))
}

// Help is what --help says about the subcommand.
func (deadLettersRedrive) Help() string {
	return `Names letters, or with --fingerprint every open one of a kind. Each goes to the consumer
that gave it up, under its old id, so that one that was handled meanwhile has no effect
again. It goes on in the console after this command ends: see pabal dead-letters jobs.`
}

type deadLettersRedrive struct {
	Letter      []string `arg:"" optional:"" help:"Ids: topic/partition/offset."`
	Fingerprint string   `help:"Every open letter of this kind." placeholder:"ID"`
	DryRun      bool     `help:"Only say what would be sent."`
	Rate        float64  `help:"Letters per second; default 100." placeholder:"N"`
	StopAfter   int      `help:"Stop after so many renewed failures; default is a tenth of the letters, at least 10." placeholder:"N"`
	Reason      string   `help:"Why; kept in the audit log." placeholder:"TEXT"`
	ValueFile   string   `help:"The content of this file replaces the value of the one letter named." type:"path" placeholder:"FILE"`
	confirming
	asking
}

// Run is called by kong.
func (c *deadLettersRedrive) Run(ctx context.Context, s *streams) error {
	r, err := c.request()
	if err != nil {
		return err
	}
	return c.ask(ctx, func(ctx context.Context, client *api.Client) error {
		r.DryRun = true
		plan, err := client.Redrive(ctx, r)
		if err != nil {
			return err
		}
		if !c.DryRun {
			if err := c.confirm(s, "Send %d letters again?", plan.Total-plan.Skipped); err != nil {
				return err
			}
			r.DryRun = false
			if plan, err = client.Redrive(ctx, r); err != nil {
				return err
			}
		}
		return c.show(s, plan, func(w io.Writer) { writeRedrive(w, plan) })
	})
}

func (c *deadLettersRedrive) request() (api.RedriveRequest, error) {
	r := api.RedriveRequest{IDs: c.Letter, Fingerprint: c.Fingerprint, PerSecond: c.Rate, StopAfter: c.StopAfter, Reason: c.Reason}
	if (len(c.Letter) > 0) == (c.Fingerprint != "") {
		return r, wrongUse("name the letters to send again, or --fingerprint for every open one of a kind")
	}
	if c.ValueFile == "" {
		return r, nil
	}
	if len(c.Letter) != 1 {
		return r, wrongUse("--value-file is for one letter")
	}
	value, err := os.ReadFile(c.ValueFile)
	if err != nil {
		return r, fmt.Errorf("--value-file: %w", err)
	}
	text := string(value)
	r.Value = &text
	return r, nil
}

func writeRedrive(w io.Writer, r api.Redrive) {
	text.Fields(w, "redrive", r.ID, "state", r.State, "by", r.User, "reason", r.Request.Reason, "begun", text.Time(r.Begun), "ended", text.Time(r.Ended),
		"letters", text.Number(r.Total), "sent", text.Number(r.Sent), "skipped", text.Number(r.Skipped),
		"handled", text.Number(r.Handled), "renewed", text.Number(r.Renewed), "problem", r.Problem)
	if len(r.Preview) > 0 {
		fmt.Fprintln(w)
		writeLetters(w, r.Preview)
	}
	if r.Request.DryRun {
		fmt.Fprintln(w, "\nNothing was sent: this was a dry run.")
	}
}

type deadLettersJobs struct {
	Redrive string `arg:"" optional:"" help:"Only this one, in detail."`
	listing
	asking
}

// Run is called by kong.
func (c *deadLettersJobs) Run(ctx context.Context, s *streams) error {
	return c.ask(ctx, func(ctx context.Context, client *api.Client) error {
		if c.Redrive != "" {
			r, err := client.RedriveByID(ctx, c.Redrive)
			if err != nil {
				return err
			}
			return c.show(s, r, func(w io.Writer) { writeRedrive(w, r) })
		}
		if err := c.check(); err != nil {
			return err
		}
		page, err := collect(c.listing, func(q api.PageQuery) (api.Page[api.Redrive], error) { return client.Redrives(ctx, q) })
		if err != nil {
			return err
		}
		defer c.more(s, page.Next)
		return c.show(s, page, func(w io.Writer) {
			var rows [][]string
			for _, r := range page.Items {
				rows = append(rows, []string{r.ID, r.State, r.User, text.Time(r.Begun), text.Number(r.Total), text.Number(r.Sent),
					text.Number(r.Skipped), text.Number(r.Handled), text.Number(r.Renewed), cmp.Or(r.Problem, r.Request.Reason)})
			}
			text.Table(w, []string{"REDRIVE", "STATE", "BY", "BEGUN", "LETTERS", "SENT", "SKIPPED", "HANDLED", "RENEWED", "NOTE"}, rows)
		})
	})
}

type deadLettersCancel struct {
	Redrive string `arg:"" help:"Its id."`
	confirming
	asking
}

// Run is called by kong.
func (c *deadLettersCancel) Run(ctx context.Context, s *streams) error {
	return c.ask(ctx, func(ctx context.Context, client *api.Client) error {
		if err := c.confirm(s, "Stop redrive %s?", text.Safe(c.Redrive)); err != nil {
			return err
		}
		r, err := client.CancelRedrive(ctx, c.Redrive)
		if err != nil {
			return err
		}
		return c.show(s, r, func(w io.Writer) { writeRedrive(w, r) })
	})
}
