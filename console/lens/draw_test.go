package lens

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/pabal-dev/pabal/console/api"
	"github.com/pabal-dev/pabal/inbox"
	"github.com/pabal-dev/pabal/outbox"
)

func TestHealthyTransaction(t *testing.T) {
	s := healthy()
	trace, nodes := draw(s.facts, at(10_000))
	want := `h1 request order done []
h2 outbox order done [h1]
h3 record  done [h2]
h4 consume payment-service done [h3]
h5 outbox payment done [h4]
h6 record  done [h5]
h7 consume order-service done [h6]
`
	if got := picture(trace); got != want {
		t.Errorf("got\n%swant\n%s", got, want)
	}
	if !trace.Complete || diagnose(nodes, s.facts, at(10_000)) != nil {
		t.Error("it is not complete")
	}
	for i, micros := range []int64{-1, 5_000, 0, 15_000, 5_000, 0, 20_000} {
		if got := trace.Hops[i].LatencyMicros; got != micros {
			t.Errorf("%s took %d µs, want %d", trace.Hops[i].ID, got, micros)
		}
	}
	if !trace.Begin.Equal(at(0)) || !trace.End.Equal(at(45)) || len(trace.Keys) != 1 || trace.Keys[0] != "order-1" {
		t.Errorf("from %v to %v, keys %v", trace.Begin, trace.End, trace.Keys)
	}
}

// TestSituations: each names the hop that stands still, its cause, and an action or
// none.
func TestSituations(t *testing.T) {
	const now = 10_000
	for name, c := range map[string]struct {
		change func(*situation)
		now    int // 10 s where zero
		// stuck is "kind state cause", "" for nothing stuck; action its path and body.
		stuck, action string
		explains      []string
		// complete, or open though nothing is stuck.
		complete bool
	}{
		"done":           {change: func(*situation) {}, complete: true},
		"row on its way": {now: 30, change: func(s *situation) { s.row(outbox.Started, nil) }},
		"row published, not removed yet": {complete: true, change: func(s *situation) {
			e := s.entries[1]
			s.row(outbox.Started, nil)
			s.entries = append(s.entries, e)
			s.mark("order", "e2", 45, inbox.Handled)
		}},
		"relay paused": {now: 30,
			change: func(s *situation) {
				s.row(outbox.Started, nil)
				s.relay("payment", outbox.Held, "paused: maintenance", true)
			},
			stuck:    "outbox stalled relay-stopped",
			action:   `services/payment/outbox/relay {"paused":false}`,
			explains: []string{"payment", "paused", "maintenance", "row 7"}},
		"relay stopped": {
			change: func(s *situation) { s.row(outbox.Started, nil); s.relay("payment", outbox.Standby, "", false) },
			stuck:  "outbox stalled relay-stopped", explains: []string{"payment-1: standby", "10s", "row 7"}},
		"relay without Kafka": {
			change: func(s *situation) {
				s.row(outbox.Started, nil)
				s.relay("payment", outbox.Held, "Kafka is unreachable at x:9092", false)
			},
			stuck: "outbox stalled kafka-away", explains: []string{"x:9092"}},
		"relay held": {
			change: func(s *situation) {
				s.row(outbox.Started, nil)
				s.relay("payment", outbox.Held, "another database", false)
			},
			stuck: "outbox stalled relay-stopped", explains: []string{"another database"}},
		"row slow though the relay is active": {
			change: func(s *situation) { s.row(outbox.Started, nil); s.service("payment").outbox.Backlog.Started = 501 },
			stuck:  "outbox stalled unknown", explains: []string{"500 others"}},
		"topic held": {
			change: func(s *situation) {
				s.row(outbox.Started, nil)
				s.relay("payment", outbox.Active, "topic x: not authorized", false)
			},
			stuck: "outbox stalled row-refused", explains: []string{"not authorized"}},
		"row refused": {
			change: func(s *situation) {
				s.row(outbox.Started, func(r *outbox.StoredRow) { r.Attempts, r.Reason, r.NextAttempt = 3, "too large", at(12_000) })
			},
			stuck: "outbox failing row-refused", explains: []string{"3 times", "too large", "05:06:19 UTC"}},
		"row failed": {
			change: func(s *situation) {
				s.row(outbox.Failed, func(r *outbox.StoredRow) { r.Attempts, r.Reason = 10, "too large" })
			},
			stuck: "outbox dead row-failed", action: `services/payment/outbox/replay {"ids":[7]}`, explains: []string{"FAILED", "10 times", "too large"}},
		"row failed, service away": {
			change: func(s *situation) {
				e := s.entries[1]
				s.lose("e2")
				e.topic, e.death = prefix+"payment.outbox.dead-letters", &death{outbox: "payment-uuid", row: 7, topic: response, offset: -1, attempts: 10, reason: "too large"}
				s.entries = append(s.entries, e)
				s.away("payment")
			},
			stuck: "outbox dead service-away"},
		"relay's dead letter, row gone from sight": {
			change: func(s *situation) {
				e := s.entries[1]
				s.lose("e2")
				e.topic, e.death = prefix+"payment.outbox.dead-letters", &death{outbox: "payment-uuid", row: 7, topic: response, offset: -1, attempts: 10, reason: "too large"}
				s.entries = append(s.entries, e)
			},
			stuck: "outbox dead row-failed", action: `services/payment/outbox/replay {"ids":[7]}`},
		"relay's dead letter, replayed since": {complete: true,
			change: func(s *situation) {
				e := s.entries[1]
				e.topic, e.death = prefix+"payment.outbox.dead-letters", &death{outbox: "payment-uuid", row: 7, topic: response, offset: -1, attempts: 10, reason: "too large"}
				s.entries = append(s.entries, e)
			}},
		"consumer behind": {
			change: func(s *situation) { s.unmark("order", "e2") },
			stuck:  "consume stalled consumer-lag", explains: []string{"order-service", "offset 17", "3 records", "10s"}},
		"consumer behind, not for long": {now: 60, change: func(s *situation) { s.unmark("order", "e2") }},
		"consumer has not begun": {
			change: func(s *situation) {
				s.unmark("order", "e2")
				s.of("order").positions = nil
				s.of("order").problem = "cannot join"
			},
			stuck: "consume stalled consumer-lag", explains: []string{"nothing", "cannot join"}},
		"another lane is further": {
			change: func(s *situation) {
				s.unmark("order", "e2")
				p := inbox.Position{Next: []int64{500, 500, 500, 500}}
				for lane := range p.Next {
					if p.Next[lane] = 2; p.NextOf("order-1", 20) == 2 {
						break
					}
					p.Next[lane] = 500
				}
				s.of("order").positions[0].Next = p.Next
			},
			stuck: "consume stalled consumer-lag", explains: []string{"offset 2 "}},
		"past it without a mark": {change: func(s *situation) { s.unmark("order", "e2"); s.of("order").positions[0].Next = []int64{500} }},
		"handler error": {
			change: func(s *situation) { s.waiting("payment", "e1", func(*inbox.StoredWaiting) {}); s.lose("e2") },
			stuck:  "consume failing handler-error", explains: []string{"2 times", "no such customer", "05:06:16 UTC"}},
		"behind another": {
			change: func(s *situation) {
				s.waiting("payment", "e1", func(w *inbox.StoredWaiting) { w.Attempts = 0 })
				s.lose("e2")
				s.of("payment").heads[[2]string{request, "order-1"}] = inbox.StoredWaiting{Place: inbox.Place{Topic: request, Offset: 4}, Key: "order-1", Attempts: 3, Reason: "locked", Next: at(11_000)}
			},
			stuck: "consume stalled behind-another", explains: []string{"offset 4", "locked", "3 times"}},
		"behind a parked one": {
			change: func(s *situation) {
				s.waiting("payment", "e1", func(w *inbox.StoredWaiting) { w.Attempts, w.Parked = 0, true })
				s.lose("e2")
			},
			stuck: "consume stalled parked", action: `services/payment/consumers/payment-service/release {"key":"order-1","topic":"payment-request"}`},
		"dead letter": {
			change: func(s *situation) { s.lose("e2"); s.giveUp("payment", "e1", 3) },
			stuck:  "consume dead dead-letter", action: `redrives {"ids":["shop.payment-service.dead-letters/0/3"]}`,
			explains: []string{"payment-service", "5 attempts", "price is negative"}},
		"dead letter in the outbox": {
			change: func(s *situation) {
				s.lose("e2")
				s.mark("payment", "e1", 100, inbox.Dead)
				s.rows = append(s.rows, rowFact{"payment", outbox.StoredRow{ID: 8, Status: outbox.Started, Topic: "payment-service.dead-letters", EventID: "e1", CorrelationID: "e1", EnqueuedAt: at(100)}})
			},
			stuck: "consume dead dead-letter", explains: []string{"on its way"}},
		"redriven and handled": {complete: true,
			change: func(s *situation) {
				s.giveUp("payment", "e1", 3)
				s.redrive("payment", "e1", 50, 200)
				s.mark("payment", "e1", 300, inbox.Handled)
			}},
		"redriven, not handled yet": {now: 300,
			change: func(s *situation) { s.lose("e2"); s.giveUp("payment", "e1", 3); s.redrive("payment", "e1", 1050, 200) }},
		"redriven, and behind": {
			change: func(s *situation) { s.lose("e2"); s.giveUp("payment", "e1", 3); s.redrive("payment", "e1", 1050, 200) },
			stuck:  "consume stalled consumer-lag", explains: []string{"50 records"}},
		"no answer": {
			change:   func(s *situation) { s.lose("e2") },
			stuck:    "answer missing no-answer",
			explains: []string{"payment-service", "shop.payment-response", "e1"}},
		"answer may come": {now: 100, change: func(s *situation) { s.lose("e2") }},
		"answer may be in a gap": {change: func(s *situation) {
			s.lose("e2")
			s.gaps = []gap{{api.Gap{Topic: prefix + response, From: 1, To: 500, At: at(1000)}, at(0)}}
		}},
		"answer goes where the index does not look": {change: func(s *situation) { s.lose("e2"); s.indexes = func(string) bool { return false } }},
		"answer in the history": {complete: false,
			change: func(s *situation) {
				s.row(outbox.Completed, func(r *outbox.StoredRow) { r.PublishedAt = at(30) })
			}},
		"service away before it handled": {
			change: func(s *situation) { s.lose("e2"); s.away("payment") },
			stuck:  "consume unknown service-away", explains: []string{"payment", "connection refused"}},
		"service away, its answer is there": {complete: true, change: func(s *situation) { s.away("payment") }},
		"last service away":                 {change: func(s *situation) { s.away("order") }, stuck: "consume unknown service-away"},
		"in outboxes only": {
			change: func(s *situation) {
				s.lose("e1", "e2")
				s.rows = []rowFact{{"order", outbox.StoredRow{ID: 1, Status: outbox.Started, Topic: request, Key: "order-1", EventID: "e1", CorrelationID: "e1", EnqueuedAt: at(0)}}}
				s.relay("order", outbox.Stopped, "", false)
			},
			stuck: "outbox stalled relay-stopped", explains: []string{"row 1", "stopped"}},
		"published twice": {complete: true, change: func(s *situation) {
			again := s.entries[1]
			again.offset += 40
			s.entries = append(s.entries, again)
		}},
		"foreign producer": {complete: true, change: func(s *situation) {
			s.entries[0].source = "/elsewhere"
		}},
	} {
		t.Run(name, func(t *testing.T) {
			s := healthy()
			c.change(s)
			when := at(now)
			if c.now > 0 {
				when = at(c.now)
			}
			trace, nodes := draw(s.facts, when)
			stuck := diagnose(nodes, s.facts, when)
			got, action := "", ""
			if stuck != nil {
				h := hopOf(t, trace, stuck.Hop)
				got = string(h.Kind) + " " + string(h.State) + " " + string(stuck.Cause)
				if stuck.Action != nil {
					action = stuck.Action.Path + " " + string(stuck.Action.Body)
					checkAction(t, stuck.Action)
				}
				for _, word := range c.explains {
					if !strings.Contains(stuck.Explanation, word) {
						t.Errorf("%q does not say %q", stuck.Explanation, word)
					}
				}
			}
			if got != c.stuck || action != c.action || trace.Complete != c.complete {
				t.Errorf("got  %q %q complete %v\nwant %q %q complete %v\n%s%+v", got, action, trace.Complete, c.stuck, c.action, c.complete, picture(trace), stuck)
			}
			checkShape(t, trace)
		})
	}
}

func hopOf(t *testing.T, trace api.Trace, id string) api.Hop {
	t.Helper()
	for _, h := range trace.Hops {
		if h.ID == id {
			return h
		}
	}
	t.Fatalf("there is no hop %q", id)
	return api.Hop{}
}

func checkAction(t *testing.T, a *api.Action) {
	t.Helper()
	if a.Label == "" || a.Method != "POST" || a.Role != api.Operator || a.Safe == "" || a.Command == "" || !json.Valid(a.Body) {
		t.Errorf("action %+v", a)
	}
}

// checkShape holds a trace to what every trace promises.
func checkShape(t *testing.T, trace api.Trace) {
	t.Helper()
	seen := map[string]bool{}
	open := len(trace.Hops) == 0
	for _, h := range trace.Hops {
		if h.ID == "" || seen[h.ID] {
			t.Fatalf("hop id %q twice or empty", h.ID)
		}
		for _, p := range h.Parents {
			if !seen[p] {
				t.Fatalf("%s has the parent %s, which is not before it", h.ID, p)
			}
		}
		seen[h.ID] = true
		open = open || h.State != api.Done
		if h.LatencyMicros < -1 || h.Kind == "" || h.State == "" {
			t.Fatalf("hop %+v", h)
		}
		if h.At.After(trace.End) || !h.At.IsZero() && h.At.Before(trace.Begin) {
			t.Fatalf("hop %s at %v is not between %v and %v", h.ID, h.At, trace.Begin, trace.End)
		}
	}
	if trace.Complete == open {
		t.Fatalf("complete is %v\n%s", trace.Complete, picture(trace))
	}
	if _, err := json.Marshal(trace); err != nil {
		t.Fatal(err)
	}
}

// TestEveryTraceHasItsShape: whatever the facts, hops have no cycles, parents exist,
// and a trace is complete where nothing is open.
func TestEveryTraceHasItsShape(t *testing.T) {
	r := seeded(t)
	pick := func(list ...string) string { return list[r.IntN(len(list))] }
	ids := []string{"e1", "e2", "e3", "e4", "e5", ""}
	topics := []string{request, response, "other", "payment-service.dead-letters"}
	for range 3000 {
		s := healthy()
		s.entries = nil
		for range r.IntN(9) {
			e := s.event(pick(ids[:5]...), pick("order", "payment", "foreign"), pick(topics...), int64(r.IntN(9)), r.IntN(60), pick(ids...))
			e.seen *= int64(r.IntN(2))
			e.partition = int32(r.IntN(2))
			switch r.IntN(6) {
			case 0:
				e.death = &death{consumer: pick("order-service", "payment-service", "gone"), topic: pick(topics...), partition: int32(r.IntN(2)), offset: int64(r.IntN(9)), reason: "x"}
			case 1:
				e.death = &death{outbox: pick("order-uuid", "nobody"), row: 1, topic: pick(topics...), offset: -1, reason: "x"}
			case 2:
				e.redriven = pick("order-service", "payment-service", "gone")
			}
		}
		for range r.IntN(4) {
			status := outbox.Status(pick(string(outbox.Started), string(outbox.Failed), string(outbox.Completed)))
			row := outbox.StoredRow{ID: int64(r.IntN(5)), Status: status, Topic: pick(topics...), EventID: pick(ids[:5]...), CausationID: pick(ids...), EnqueuedAt: at(r.IntN(60)), Attempts: r.IntN(2)}
			if status == outbox.Completed {
				row.PublishedAt = row.EnqueuedAt.Add(time.Millisecond)
			}
			s.rows = append(s.rows, rowFact{pick("order", "payment", "gone"), row})
		}
		for _, service := range []string{"order", "payment"} {
			for _, id := range ids[:5] {
				switch r.IntN(4) {
				case 0:
					s.mark(service, id, r.IntN(90), inbox.Handled)
				case 1:
					s.mark(service, id, r.IntN(90), inbox.Dead)
				case 2:
					s.waiting(service, id, func(w *inbox.StoredWaiting) { w.Attempts, w.Parked = r.IntN(2), r.IntN(4) == 0 })
				}
			}
			s.of(service).positions[0].Next = []int64{int64(r.IntN(9)), int64(r.IntN(9))}
			if r.IntN(6) == 0 {
				s.away(service)
			}
		}
		when := at(r.IntN(20_000))
		trace, nodes := draw(s.facts, when)
		checkShape(t, trace)
		stuck := diagnose(nodes, s.facts, when)
		if stuck != nil {
			hopOf(t, trace, stuck.Hop)
			if stuck.Explanation == "" || stuck.Cause == "" || strings.Contains(stuck.Explanation, "%!") || trace.Complete {
				t.Fatalf("stuck %+v in\n%s", stuck, picture(trace))
			}
			if stuck.Action != nil {
				checkAction(t, stuck.Action)
			}
		}
	}
}
