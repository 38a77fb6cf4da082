package lens

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/pabal-dev/pabal/console/api"
)

// Rules of violations.
const (
	ruleUnpublished = "row-unpublished-too-long"
	ruleFailed      = "rows-failed"
	ruleNoRelay     = "no-active-relay"
	ruleTwoRelays   = "two-active-relays"
	rulePastEnd     = "offset-past-the-end"
	ruleAhead       = "offset-ahead-of-inbox"
)

// violationsAge is how long an answer is given again; every look asks all services.
const violationsAge = 4 * time.Second

// inboxShare is in how many looks one compares inboxes with the log: that is a
// question for thousands of marks.
const inboxShare = 3

// watchTime bounds a look; the overview waits for it.
const watchTime = 1200 * time.Millisecond

// cachedViolations lets one look at a time go on.
type cachedViolations struct {
	age   time.Duration // violationsAge; tests are in a hurry
	mu    sync.Mutex
	at    time.Time
	last  []api.Violation
	state watchState
}

// watchState is what a look remembers for the next one: what has to be seen twice.
type watchState struct {
	suspects map[suspect]bool
	inboxes  []api.Violation // of the last comparison
	looks    int
	alone    map[string]time.Time // services without an active relay, since when
	two      map[string]bool      // services with two
}

// Violations implements api.Lens. What cannot be asked violates nothing here: the
// overview names services that are away.
func (l *Lens) Violations(ctx context.Context) ([]api.Violation, error) {
	ix, t, err := l.reading()
	if err != nil {
		return nil, err
	}
	l.watch.mu.Lock()
	defer l.watch.mu.Unlock()
	if time.Since(l.watch.at) < l.watch.age {
		return slices.Clone(l.watch.last), nil
	}
	// Not the caller's context: the answer is for all who ask in the next seconds.
	asked, cancel := context.WithTimeout(context.WithoutCancel(ctx), min(l.config.AskTimeout, watchTime))
	defer cancel()
	found := l.services.all(asked, min(l.config.AskTimeout, watchTime)/2)
	w := watching{config: l.config, now: l.config.Clock(), before: l.watch.state}
	w.outboxes(found.services)
	if w.after.looks = w.before.looks + 1; w.before.looks%inboxShare == 0 {
		w.inboxes(l.standings(asked, ix, t, found.services))
	} else {
		w.after.suspects, w.after.inboxes = w.before.suspects, w.before.inboxes
	}
	w.found = append(w.found, w.after.inboxes...)
	l.watch.last, l.watch.state, l.watch.at = w.sorted(), w.after, time.Now()
	return slices.Clone(l.watch.last), nil
}

// watching decides what is wrong, from facts.
type watching struct {
	config        Config
	now           time.Time
	before, after watchState
	found         []api.Violation
}

func (w *watching) add(v api.Violation) { w.found = append(w.found, v) }

func (w *watching) sorted() []api.Violation {
	slices.SortStableFunc(w.found, func(a, b api.Violation) int {
		return cmp.Or(strings.Compare(a.Service, b.Service), strings.Compare(a.Rule, b.Rule), strings.Compare(a.What, b.What))
	})
	return w.found
}

// outboxes looks at backlogs and relays.
func (w *watching) outboxes(services []serviceFact) {
	w.after.alone, w.after.two = map[string]time.Time{}, map[string]bool{}
	for i := range services {
		if s := &services[i]; s.away == "" && s.outbox != nil {
			w.backlog(s)
			w.relays(s)
		}
	}
}

func (w *watching) backlog(s *serviceFact) {
	b := s.backlog()
	if b.Failed > 0 {
		w.add(api.Violation{
			Rule: ruleFailed, Service: s.Name, Action: replayFailed(s.Name, b.Failed),
			What: fmt.Sprintf("%s FAILED in the outbox of %s: Kafka refused each too often. Replay them once the cause is mended.", rowsAre(b.Failed), s.Name),
		})
	}
	if age := w.now.Sub(b.Oldest); !b.Oldest.IsZero() && b.Started > 0 && age > w.config.UnpublishedAfter {
		v := api.Violation{Rule: ruleUnpublished, Service: s.Name, Since: b.Oldest}
		active, paused, held := s.relay()
		state := "its relay: " + relayStates(s.relays)
		switch {
		case paused != nil && len(active) == 0:
			state, v.Action = "its relay is paused ("+paused.Reason+")", resumeRelay(s.Name)
		case held != nil:
			state = "its relay is held: " + held.Reason
		}
		v.What = fmt.Sprintf("The oldest of %d rows in the outbox of %s has not been published for %s; %s.", b.Started, s.Name, duration(age), state)
		w.add(v)
	}
}

func rowsAre(n int64) string {
	if n == 1 {
		return "1 row is"
	}
	return fmt.Sprintf("%d rows are", n)
}

// relays looks for outboxes with none or two active ones. Both may be so for a
// moment, while one takes over.
func (w *watching) relays(s *serviceFact) {
	active, paused, held := s.relay()
	if len(active) > 1 {
		w.after.two[s.Name] = true
		if w.before.two[s.Name] {
			w.add(api.Violation{Rule: ruleTwoRelays, Service: s.Name,
				What: fmt.Sprintf("%d relays of %s say that they are active: %s.", len(active), s.Name, relayStates(s.relays))})
		}
	}
	if len(active) > 0 || paused != nil || held != nil || s.backlog().Started == 0 {
		return
	}
	since, ok := w.before.alone[s.Name]
	if !ok {
		since = w.now
	}
	w.after.alone[s.Name] = since
	if w.now.Sub(since) >= w.config.StallAfter {
		w.add(api.Violation{Rule: ruleNoRelay, Service: s.Name, Since: since.UTC(),
			What: fmt.Sprintf("%d rows of %s wait and no relay is active: %s.", s.backlog().Started, s.Name, relayStates(s.relays))})
	}
}
