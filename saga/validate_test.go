package saga

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/pabal-dev/pabal/event"
	"github.com/pabal-dev/pabal/outbox"
)

type none = struct{}

func nothing(Context, *none) []outbox.Message { return nil }

func TestValidateNamesAllProblems(t *testing.T) {
	leaf := func(change func(*Step[none])) Definition[none] {
		s := Step[none]{Name: "pay", Action: nothing}
		change(&s)
		return Definition[none]{Name: "order", Steps: []Step[none]{s}}
	}
	group := func(g Step[none]) Definition[none] { return Definition[none]{Name: "order", Steps: []Step[none]{g}} }
	pay := Step[none]{Name: "pay", Action: nothing}
	branches := [][]Step[none]{{pay}}
	read := func(event.Event) (Answer[none], error) { return Answer[none]{}, nil }
	observed := func(change func(*Choreography[none])) Definition[none] {
		c := Choreography[none]{Name: "rent", Deadline: time.Minute, Participants: []Participant[none]{{Name: "book"}}}
		change(&c)
		return c.Definition()
	}
	for want, d := range map[string]Definition[none]{
		`Name "" must be`:            {Steps: []Step[none]{pay}},
		`Name "a/b" must be`:         {Name: "a/b", Steps: []Step[none]{pay}},
		"Steps is empty":             {Name: "order"},
		"Version -1 is negative":     {Name: "order", Version: -1, Steps: []Step[none]{pay}},
		"Deadline -1s is negative":   {Name: "order", Deadline: -time.Second, Steps: []Step[none]{pay}},
		"OnDeadline 7 is no policy":  {Name: "order", OnDeadline: 7, Steps: []Step[none]{pay}},
		`two steps are named "pay"`:  {Name: "order", Steps: []Step[none]{pay, {Name: "g", Parallel: branches}}},
		"Replies[0] has no Topic":    {Name: "order", Steps: []Step[none]{pay}, Replies: []Reply[none]{{Read: read}}},
		"Replies[0] has no Read":     {Name: "order", Steps: []Step[none]{pay}, Replies: []Reply[none]{{Topic: "a"}}},
		`two Replies read topic "a"`: {Name: "order", Steps: []Step[none]{pay}, Replies: []Reply[none]{{"a", read}, {"a", read}}},
		"2 steps are a Pivot": {Name: "order", Steps: []Step[none]{
			{Name: "a", Action: nothing, Pivot: true}, {Name: "b", Action: nothing, Pivot: true}}},
		"only Name can be set beside Parallel": group(Step[none]{Name: "g", Timeout: time.Second, Parallel: branches}),
		"Parallel has no branch":               group(Step[none]{Name: "g", Parallel: [][]Step[none]{}}),
		"branch 1 is empty":                    group(Step[none]{Name: "g", Parallel: [][]Step[none]{{pay}, {}}}),
		"a branch cannot have branches":        group(Step[none]{Name: "g", Parallel: [][]Step[none]{{{Name: "h", Parallel: branches}}}}),
		`step "" must be`:                      leaf(func(s *Step[none]) { s.Name = "" }),
		"Notify needs an Action":               leaf(func(s *Step[none]) { s.Notify, s.Action = true, nil }),
		"Notify has no answer":                 leaf(func(s *Step[none]) { s.Notify, s.Timeout = true, time.Second }),
		"Retry needs an Action":                leaf(func(s *Step[none]) { s.Action, s.Retry.Attempts = nil, 2 }),
		"CompensationNotify needs":             leaf(func(s *Step[none]) { s.CompensationNotify = true }),
		"Abortable needs a Compensation":       leaf(func(s *Step[none]) { s.Abortable = true }),
		"it can be one of them":                leaf(func(s *Step[none]) { s.Compensation, s.Abortable, s.OnlySuccess = nothing, true, true }),
		"a Pivot is never compensated":         leaf(func(s *Step[none]) { s.Pivot, s.Compensation = true, nothing }),
		"a Pivot that failed":                  leaf(func(s *Step[none]) { s.Pivot, s.ContinueOnError = true, true }),
		"Timeout -1s is negative":              leaf(func(s *Step[none]) { s.Timeout = -time.Second }),
		"above a century":                      leaf(func(s *Step[none]) { s.CompensationTimeout = 1 << 62 }),
		"Retry.Attempts -1 is negative":        leaf(func(s *Step[none]) { s.Retry.Attempts = -1 }),
		"CompensationRetry.Min 2s is above":    leaf(func(s *Step[none]) { s.CompensationRetry = Retry{Min: 2 * time.Second, Max: time.Second} }),
		"a choreography needs a Deadline":      observed(func(c *Choreography[none]) { c.Deadline = 0 }),
		"that is not Optional":                 observed(func(c *Choreography[none]) { c.Participants[0].Optional = true }),
		"needs a participant":                  observed(func(c *Choreography[none]) { c.Participants = nil }),
		`two steps are named "book"`: observed(func(c *Choreography[none]) {
			c.Participants = append(c.Participants, Participant[none]{Name: "book"})
		}),
	} {
		err := d.Validate()
		if !errors.Is(err, ErrConfig) || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want ErrConfig with %q", err, want)
		}
	}
	all := Definition[none]{Steps: []Step[none]{{Notify: true}, {Timeout: -1}}, Deadline: -1}.Validate()
	if n := strings.Count(all.Error(), "\n") + 1; n != 7 {
		t.Errorf("%d problems, want all 7:\n%v", n, all)
	}
}

func TestValidateAccepts(t *testing.T) {
	d := Definition[none]{
		Name: "주문", Steps: []Step[none]{{Name: "pay"}},
	}
	if d.Validate() == nil {
		t.Error("names are ASCII, because they stand in headers and addresses")
	}
	d.Name = "order-2.b_C"
	d.Steps = append(d.Steps, Step[none]{Name: "g", Parallel: [][]Step[none]{
		{{Name: "a", Action: nothing, Timeout: time.Second, Retry: Retry{Attempts: 3, Min: time.Minute, Max: time.Minute}}, {Name: "b", Action: nothing, Notify: true}},
		{{Name: "c", Action: nothing, Compensation: nothing, Abortable: true}},
	}}, Step[none]{Name: "d", Action: nothing, Pivot: true})
	if err := d.Validate(); err != nil {
		t.Error(err)
	}
}

func TestPausesDouble(t *testing.T) {
	for _, c := range []struct {
		retry Retry
		n     int
		want  time.Duration
	}{
		{Retry{}, 1, time.Second},
		{Retry{}, 2, 2 * time.Second},
		{Retry{}, 7, time.Minute},
		{Retry{}, 1 << 30, time.Minute},
		{Retry{Min: time.Millisecond, Max: 3 * time.Millisecond}, 2, 2 * time.Millisecond},
		{Retry{Min: time.Millisecond, Max: 3 * time.Millisecond}, 3, 3 * time.Millisecond},
		{Retry{Min: time.Hour}, 1, time.Hour},
		{Retry{Min: time.Hour}, 5, time.Hour},
		{Retry{Max: time.Millisecond}, 1, time.Millisecond},
		{Retry{Min: maxWait, Max: maxWait}, 9, maxWait},
	} {
		if got := c.retry.pause(c.n); got != c.want {
			t.Errorf("%+v after attempt %d: %s, want %s", c.retry, c.n, got, c.want)
		}
	}
}
