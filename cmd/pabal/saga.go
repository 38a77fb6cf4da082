package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"strconv"
	"strings"

	"github.com/pabal-dev/pabal/admin"
	"github.com/pabal-dev/pabal/cmd/pabal/internal/text"
	"github.com/pabal-dev/pabal/console/api"
	"github.com/pabal-dev/pabal/saga"
)

// oneSaga are the arguments of what is asked about one.
type oneSaga struct {
	Service string `arg:"" help:"Whose saga."`
	Saga    string `arg:"" help:"Its name, such as place-order."`
	ID      string `arg:"" name:"id" help:"Its id, such as the order's."`
}

type sagasShow struct {
	oneSaga
	asking
}

// Run is called by kong.
func (c *sagasShow) Run(ctx context.Context, s *streams) error {
	return c.ask(ctx, func(ctx context.Context, client *api.Client) error {
		service, err := client.At(ctx, c.Service)
		if err != nil {
			return err
		}
		d, err := service.Saga(ctx, c.Saga, c.ID)
		if err != nil {
			return err
		}
		return c.show(s, d, func(w io.Writer) { writeSaga(w, c.Service, d, paintFor(s.out)) })
	})
}

func writeSaga(w io.Writer, service string, d admin.SagaDetail, paint paint) {
	text.Fields(w, "saga", d.Name, "id", d.ID, "service", service, "status", string(d.Status), "correlation", d.CorrelationID, "version", strconv.Itoa(d.Version),
		"revision", text.Number(d.Revision), "started", text.Time(d.Started), "changed", text.Time(d.Changed), "ended", text.Time(d.Ended), "reason", d.Reason)
	if d.Status == saga.NeedsReview {
		fmt.Fprintf(w, "\n%s %s\n", paint.bad("It needs somebody:"), text.Safe(d.Reason))
	}
	for _, wait := range api.SagaWaits(d) {
		verb := "waits for"
		if wait.Retrying() {
			verb = "is about to send"
		}
		fmt.Fprintf(w, "\nIt %s %s, since %s. %s\n", verb, text.Safe(wait.For()), text.Time(wait.Since()), text.Safe(wait.Ends()))
	}
	writeSagaSteps(w, d)
	writeTimeline(w, d)
	if len(d.State) > 0 {
		var state bytes.Buffer
		_ = json.Indent(&state, d.State, "", "  ") // it is JSON: it came in an answer
		fmt.Fprintf(w, "\nState:\n%s\n", safeLines(state.String()))
	}
	writeActs(w, service, d)
}

func safeLines(s string) string {
	lines := strings.Split(s, "\n")
	for i := range lines {
		lines[i] = text.Safe(lines[i])
	}
	return strings.Join(lines, "\n")
}

func writeSagaSteps(w io.Writer, d admin.SagaDetail) {
	fmt.Fprintln(w)
	var rows [][]string
	for _, step := range d.Steps {
		phase := string(step.Phase)
		if step.Parked {
			phase += " (needs review)"
		}
		rows = append(rows, []string{step.Name, phase, strconv.Itoa(step.Attempt), numberOrNone(step.Undo), text.Time(step.Since), step.Command, text.Cut(step.Reason, 80)})
	}
	text.Table(w, []string{"STEP", "PHASE", "ATTEMPTS", "TO UNDO IT", "SINCE", "LAST MESSAGE", "REASON"}, rows)
	if len(d.Timers) == 0 {
		return
	}
	fmt.Fprintln(w)
	rows = nil
	for _, t := range d.Timers {
		rows = append(rows, []string{string(t.Kind), t.Step, numberOrNone(t.Attempt), text.Time(t.Due)})
	}
	text.Table(w, []string{"TIMER", "STEP", "ATTEMPT", "DUE"}, rows)
}

func numberOrNone(n int) string {
	if n == 0 {
		return ""
	}
	return strconv.Itoa(n)
}

func writeTimeline(w io.Writer, d admin.SagaDetail) {
	fmt.Fprintln(w)
	var rows [][]string
	for _, e := range d.Entries {
		note := e.Note
		if e.Actor != "" {
			note = e.Actor + ": " + note
		}
		rows = append(rows, []string{text.Time(e.At), string(e.Kind), e.Step, numberOrNone(e.Attempt), string(e.Status), e.Type, e.Topic, e.MessageID, text.Cut(note, 100)})
	}
	text.Table(w, []string{"AT", "WHAT", "STEP", "ATTEMPT", "STATUS", "MESSAGE", "TOPIC", "MESSAGE ID", "NOTE"}, rows)
	if d.LeftOut > 0 {
		fmt.Fprintf(w, "%d lines after the first %d are left out.\n", d.LeftOut, admin.SagaEntriesBefore)
	}
}

// writeActs tells the commands for one that needs somebody.
func writeActs(w io.Writer, service string, d admin.SagaDetail) {
	if d.Status != saga.NeedsReview {
		return
	}
	one := fmt.Sprintf("%s %s %s", shellWord(service), shellWord(d.Name), shellWord(d.ID))
	step := ""
	if steps := api.SagaStepsToActOn(d); len(steps) > 0 {
		step = " --step " + shellWord(steps[0].Name)
	}
	fmt.Fprintf(w, "\nMend the cause, then one of these; a reason is required:\n")
	for _, do := range admin.SagaActs {
		which := step
		if do == saga.ResolveAct {
			which = ""
		} else if step == "" {
			continue
		}
		fmt.Fprintf(w, "  pabal sagas %s %s%s --revision %d --reason '…'\n", do, one, which, d.Revision)
	}
}
