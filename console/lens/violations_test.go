package lens

import (
	"strings"
	"testing"
	"time"

	"github.com/pabal-dev/pabal/admin"
	"github.com/pabal-dev/pabal/inbox"
	"github.com/pabal-dev/pabal/outbox"
)

func TestOutboxViolations(t *testing.T) {
	for name, c := range map[string]struct {
		backlog outbox.Backlog
		relays  []admin.RelayStatus
		looks   int // 1 where zero; a second apart
		rules   string
		says    []string
		action  string
	}{
		"nothing waits":  {relays: relays(outbox.Standby)},
		"young rows":     {backlog: outbox.Backlog{Started: 5, Oldest: at(-9_000)}, relays: relays(outbox.Active)},
		"an old row":     {backlog: outbox.Backlog{Started: 5, Oldest: at(-90_000)}, relays: relays(outbox.Active), rules: ruleUnpublished, says: []string{"5 rows", "1m30s", "active"}},
		"a paused relay": {backlog: outbox.Backlog{Started: 5, Oldest: at(-90_000)}, relays: []admin.RelayStatus{{State: outbox.Held, Paused: true, Reason: "paused: x"}}, rules: ruleUnpublished, says: []string{"paused"}, action: "services/order/outbox/relay"},
		"a held relay":   {backlog: outbox.Backlog{Started: 5, Oldest: at(-90_000)}, relays: []admin.RelayStatus{{State: outbox.Held, Reason: "no topic"}}, rules: ruleUnpublished, says: []string{"no topic"}},
		"failed rows":    {backlog: outbox.Backlog{Failed: 3}, relays: relays(outbox.Active), rules: ruleFailed, says: []string{"3 rows are FAILED"}, action: "services/order/outbox/replay"},
		"one failed row": {backlog: outbox.Backlog{Failed: 1}, relays: relays(outbox.Active), rules: ruleFailed, says: []string{"1 row is FAILED"}, action: "services/order/outbox/replay"},
		"no relay yet":   {backlog: outbox.Backlog{Started: 1, Oldest: at(-1)}, relays: relays(outbox.Standby)},
		"no relay":       {backlog: outbox.Backlog{Started: 1, Oldest: at(-1)}, relays: relays(outbox.Standby, outbox.Connecting), looks: 7, rules: ruleNoRelay, says: []string{"standby", "connecting"}},
		"two relays":     {relays: relays(outbox.Active, outbox.Active), looks: 2, rules: ruleTwoRelays, says: []string{"2 relays"}},
		"taking over":    {relays: relays(outbox.Active, outbox.Active)},
	} {
		t.Run(name, func(t *testing.T) {
			s := serviceFact{remembered: remembered{Name: "order"}, outbox: &admin.OutboxStatus{Backlog: c.backlog}}
			for _, r := range c.relays {
				s.relays = append(s.relays, relayFact{"order-1", r})
			}
			config, err := Config{}.withDefaults()
			if err != nil {
				t.Fatal(err)
			}
			var w watching
			for look := range max(1, c.looks) {
				w = watching{config: config, now: at(look * 1000), before: w.after}
				w.outboxes([]serviceFact{s})
			}
			got, action := "", ""
			for _, v := range w.sorted() {
				got += v.Rule
				if v.Action != nil {
					action += v.Action.Path
					checkAction(t, v.Action)
				}
				for _, word := range c.says {
					if !strings.Contains(v.What, word) {
						t.Errorf("%q does not say %q", v.What, word)
					}
				}
			}
			if got != c.rules || action != c.action {
				t.Errorf("got %q %q, want %q %q", got, action, c.rules, c.action)
			}
		})
	}
}

func relays(states ...outbox.State) (list []admin.RelayStatus) {
	for _, s := range states {
		list = append(list, admin.RelayStatus{State: s})
	}
	return list
}

func TestInboxViolations(t *testing.T) {
	healthyStanding := func() standing {
		p := inbox.Position{Partition: inbox.Partition{Topic: request}, Next: []int64{100}, Epoch: 3}
		s := standing{service: "payment", consumer: "payment-service", key: partitionKey{prefix + request, 0}, before: p, after: p, end: 100,
			marked: map[string]bool{}, waiting: map[int64]bool{}}
		for i, id := range []string{"e0", "e1", "e2", "e3"} {
			s.events = append(s.events, entry{topic: prefix + request, offset: int64(i * 10), id: id, key: id, typ: request, time: at(i).UnixMicro()})
			s.marked[id] = true
		}
		return s
	}
	for name, c := range map[string]struct {
		change func(*standing)
		looks  int // 2 where zero
		rules  string
	}{
		"all marked":             {change: func(*standing) {}},
		"one without":            {change: func(s *standing) { delete(s.marked, "e2") }, rules: ruleAhead},
		"seen once only":         {change: func(s *standing) { delete(s.marked, "e2") }, looks: 1},
		"one waits":              {change: func(s *standing) { delete(s.marked, "e2"); s.waiting[20] = true }},
		"not come to it":         {change: func(s *standing) { delete(s.marked, "e3"); s.before.Next = []int64{30} }},
		"sent back meanwhile":    {change: func(s *standing) { delete(s.marked, "e2"); s.after.Next = []int64{0} }},
		"replayed meanwhile":     {change: func(s *standing) { delete(s.marked, "e2"); s.after.Replay.Generation = 2 }},
		"claimed meanwhile":      {change: func(s *standing) { delete(s.marked, "e2"); s.after.Epoch++ }},
		"before it began":        {change: func(s *standing) { delete(s.marked, "e0"); delete(s.marked, "e1") }},
		"redriven for another":   {change: func(s *standing) { delete(s.marked, "e2"); s.events[2].redriven = "order-service" }},
		"redriven for this one":  {change: func(s *standing) { delete(s.marked, "e2"); s.events[2].redriven = "payment-service" }, rules: ruleAhead},
		"past the end":           {change: func(s *standing) { s.end = 99 }, looks: 1, rules: rulePastEnd},
		"end unknown":            {change: func(s *standing) { s.end = -1 }},
		"nothing handled yet":    {change: func(s *standing) { s.before.Next, s.after.Next = []int64{-1}, []int64{-1}; s.marked = nil }},
		"a lane that is further": {change: func(s *standing) { delete(s.marked, "e3"); lanes(s, "e3", 30) }},
		"a lane that is past it": {change: func(s *standing) { delete(s.marked, "e3"); lanes(s, "e3", 31) }, rules: ruleAhead},
	} {
		t.Run(name, func(t *testing.T) {
			s := healthyStanding()
			c.change(&s)
			looks := c.looks
			if looks == 0 {
				looks = 2
			}
			var w watching
			for range looks {
				w = watching{now: at(9_000), before: w.after}
				w.inboxes([]standing{s})
			}
			got := ""
			for _, v := range w.after.inboxes {
				got += v.Rule
				if v.Service != "payment" || strings.Contains(v.What, "%!") || !strings.Contains(v.What, "payment-service") {
					t.Errorf("violation %+v", v)
				}
			}
			if got != c.rules {
				t.Errorf("got %q, want %q", got, c.rules)
			}
		})
	}
}

// lanes gives the lane of a key that position, and the others a higher one.
func lanes(s *standing, key string, next int64) {
	for lane := range 4 {
		p := inbox.Position{Next: []int64{100, 100, 100, 100}}
		p.Next[lane] = next
		if p.NextOf(key, 0) == next {
			s.before.Next, s.after.Next = p.Next, p.Next
		}
	}
}

// TestClockOfDurations: durations are for people.
func TestClockOfDurations(t *testing.T) {
	for want, d := range map[string]time.Duration{
		"0s": -time.Second, "15ms": 15*time.Millisecond + 3, "9.9s": 9940 * time.Millisecond, "1m30s": 90 * time.Second, "26h5m": 26*time.Hour + 5*time.Minute,
	} {
		if got := duration(d); got != want {
			t.Errorf("%d is %q, want %q", d, got, want)
		}
	}
}
