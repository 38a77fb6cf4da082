package pages

import (
	"cmp"
	"context"
	"errors"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/pabal-dev/pabal/admin"
	"github.com/pabal-dev/pabal/console/api"
	"github.com/pabal-dev/pabal/saga"
)

// sagaBody is one saga.
type sagaBody struct {
	Service, Name, ID string
	part[admin.SagaDetail]
	// Open says that it has not ended.
	Open  bool
	Waits []api.SagaWait
	// Parked are the steps it needs review for, ToActOn those that a person can act on.
	Parked, ToActOn []saga.StepState
	// CanRetry says that one of them has something to send again.
	CanRetry bool
	Timers   []sagaTimer
	Timeline []sagaMoment
	State    api.Data
	// TookMicros from its start to its end, or so far.
	TookMicros int64
}

// sagaTimer is a timer in words.
type sagaTimer struct {
	What, Step string
	Due        time.Time
}

// sagaMoment is a line of the timeline.
type sagaMoment struct {
	saga.Entry
	// What happened, Tone of its mark; Number counts from 1.
	Number     int
	What, Tone string
	// After is the time since the line before, -1 at the first.
	AfterMicros int64
	// FullTopic has the tenant's prefix; LeftOut is how many lines are missing before.
	FullTopic string
	LeftOut   int
}

func (h *handler) saga(ctx context.Context, r *http.Request) (content, error) {
	b := sagaBody{Service: r.PathValue("service"), Name: r.PathValue("name"), ID: r.PathValue("id")}
	c := content{template: "saga", title: b.Name + " " + b.ID, section: "sagas"}
	prefix := ""
	var err error
	gather(
		func() { prefix = h.prefixOf(ctx, b.Service) },
		func() { b.Value, err = h.sagaDetail(ctx, b) },
	)
	if b.Problem = problemOf(err); err == nil {
		b.fill(prefix, h.Clock())
	}
	c.body = b
	return c, onlyFatal(err)
}

func (h *handler) sagaDetail(ctx context.Context, b sagaBody) (admin.SagaDetail, error) {
	s, err := h.Engines.Services.At(ctx, b.Service)
	if err != nil {
		return admin.SagaDetail{}, err
	}
	d, err := s.Saga(ctx, b.Name, b.ID)
	if errors.Is(err, admin.ErrNotFound) {
		err = errorf(api.ErrNotFound, "%v", err)
	}
	return d, err
}

// prefixOf is the tenant's, "" where the service cannot be asked: links to its topics
// lead nowhere then.
func (h *handler) prefixOf(ctx context.Context, name string) string {
	all, err := h.Engines.Services.Services(ctx)
	if err != nil {
		return ""
	}
	for _, s := range byName(all) {
		if s.Name == name {
			return s.Prefix
		}
	}
	return ""
}

func (b *sagaBody) fill(prefix string, now time.Time) {
	d := b.Value
	b.Open = !d.Status.Ended()
	b.Waits, b.ToActOn = api.SagaWaits(d), api.SagaStepsToActOn(d)
	for _, s := range d.Steps {
		if s.Parked {
			b.Parked = append(b.Parked, s)
		}
	}
	b.CanRetry = slices.ContainsFunc(b.ToActOn, func(s saga.StepState) bool { return s.Command != "" })
	for _, t := range d.Timers {
		b.Timers = append(b.Timers, timerOf(t))
	}
	slices.SortStableFunc(b.Timers, func(x, y sagaTimer) int { return x.Due.Compare(y.Due) })
	b.Timeline = timelineOf(d, prefix)
	b.State = api.Data{Format: "json", Text: string(d.State), Size: d.StateSize}
	end := cmpTime(d.Ended, now)
	b.TookMicros = max(0, end.Sub(d.Started).Microseconds())
}

var timerNames = map[saga.TimerKind]string{
	saga.DeadlineTimer: "Deadline of the whole saga", saga.TimeoutTimer: "Time-out of attempt {n}", saga.UndoTimeoutTimer: "Time-out of compensation attempt {n}",
	saga.RetryTimer: "Attempt {n} begins", saga.UndoRetryTimer: "Compensation attempt {n} begins",
}

func timerOf(t saga.Timer) sagaTimer {
	return sagaTimer{What: timerText(t.Kind, t.Attempt), Step: t.Step, Due: t.Due}
}

func timerText(kind saga.TimerKind, attempt int) string {
	return strings.Replace(cmp.Or(timerNames[kind], words(kind)), "{n}", number(attempt), 1)
}

// moments are what entries are called, and the tone of their marks.
var moments = map[saga.EntryKind]struct{ what, tone string }{
	saga.EntryStarted:    {"Started", "ok"},
	saga.EntryCommand:    {"Command sent", "info"},
	saga.EntryUndo:       {"Compensation sent", "warn"},
	saga.EntryAnswer:     {"Answer", "ok"},
	saga.EntryLateAnswer: {"Late answer", "warn"},
	saga.EntryTimer:      {"Timer fired", "idle"},
	saga.EntryStep:       {"Step", "idle"},
	saga.EntryCancel:     {"Cancelled", "warn"},
	saga.EntryAct:        {"A person acted", "act"},
	saga.EntryStatus:     {"Status", "idle"},
	saga.EntryMessage:    {"Message sent", "info"},
}

// badAnswers are those after which a saga does not simply go on.
var badAnswers = []saga.Result{saga.Refused, saga.Failed, saga.UndoFailed}

func timelineOf(d admin.SagaDetail, prefix string) []sagaMoment {
	all := make([]sagaMoment, len(d.Entries))
	for i, e := range d.Entries {
		known := moments[e.Kind]
		m := sagaMoment{Entry: e, Number: i + 1, What: cmp.Or(known.what, words(e.Kind)), Tone: cmp.Or(known.tone, "idle"), AfterMicros: -1}
		if e.Status != "" {
			m.Tone = badgeOf(e.Status).Tone
		}
		switch result, _, _ := strings.Cut(e.Note, ":"); {
		case e.Kind == saga.EntryTimer:
			m.Note = timerText(saga.TimerKind(e.Note), e.Attempt)
		case e.Kind == saga.EntryAnswer && slices.Contains(badAnswers, saga.Result(result)):
			m.Tone = "warn"
		}
		if e.Topic != "" {
			m.FullTopic = prefix + e.Topic
		}
		if i > 0 {
			m.AfterMicros = max(0, e.At.Sub(d.Entries[i-1].At).Microseconds())
		}
		if d.LeftOut > 0 && i == admin.SagaEntriesBefore {
			m.LeftOut = d.LeftOut
		}
		if i >= admin.SagaEntriesBefore {
			m.Number += d.LeftOut
		}
		all[i] = m
	}
	return all
}

// Around is from when on the message browser looks for the entry's message.
func (m sagaMoment) Around() string {
	return "time:" + m.At.Add(-time.Minute).UTC().Format(time.RFC3339)
}
