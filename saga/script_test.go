package saga

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/pabal-dev/pabal/event"
	"github.com/pabal-dev/pabal/outbox"
)

var rewrite = flag.Bool("rewrite", false, "write testdata/*.txt anew")

// TestScripts runs testdata/*.txt: each is a definition and inputs, and after "----"
// what was decided. go test ./saga -run Scripts -rewrite writes the answers anew.
func TestScripts(t *testing.T) {
	files, err := filepath.Glob("testdata/*.txt")
	if err != nil || len(files) == 0 {
		t.Fatal("no scripts", err)
	}
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".txt"), func(t *testing.T) {
			text, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			got := runScript(t, string(text))
			if *rewrite {
				if err := os.WriteFile(file, []byte(got), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			if want := string(text); got != want && !*rewrite {
				t.Errorf("%s: %s", file, firstDifference(got, want))
			}
		})
	}
}

func firstDifference(got, want string) string {
	g, w := strings.Split(got, "\n"), strings.Split(want, "\n")
	for k := range g {
		if k >= len(w) || g[k] != w[k] {
			return fmt.Sprintf("line %d is now\n%s\nwant\n%s", k+1, strings.Join(g[k:min(k+8, len(g))], "\n"), strings.Join(w[min(k, len(w)):min(k+8, len(w))], "\n"))
		}
	}
	return fmt.Sprintf("%d lines are missing", len(w)-len(g))
}

// script is a saga led by hand. Its state is the list of what changed it.
type script struct {
	t        *testing.T
	d        Definition[[]string]
	i        Instance[[]string]
	start    time.Time
	now      time.Time
	messages int
}

var scriptStart = time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)

// runScript returns the script with its answers as they are.
func runScript(t *testing.T, text string) string {
	s := &script{t: t, start: scriptStart, now: scriptStart}
	var out strings.Builder
	for block := range strings.SplitSeq(strings.TrimRight(text, "\n"), "\n\n") {
		input, _, _ := strings.Cut(block, "\n----")
		if out.Len() > 0 {
			out.WriteString("\n")
		}
		out.WriteString(input + "\n")
		if commands := withoutComments(input); len(commands) > 0 {
			out.WriteString("----\n" + s.run(commands))
		}
	}
	return out.String()
}

func withoutComments(block string) (lines []string) {
	for line := range strings.SplitSeq(block, "\n") {
		if line != "" && !strings.HasPrefix(line, "#") {
			lines = append(lines, line)
		}
	}
	return lines
}

func (s *script) run(commands []string) string {
	if kind, _, _ := strings.Cut(commands[0], " "); kind == "saga" || kind == "choreography" {
		return s.define(commands)
	}
	var out strings.Builder
	for _, command := range commands {
		if len(commands) > 1 {
			out.WriteString("> " + command + "\n")
		}
		out.WriteString(s.command(command))
	}
	return out.String()
}

// command is one of
//
//	start
//	STEP RESULT [attempt=N] [reason...]   an answer
//	begins                                a choreography's first message
//	fire                                  the timer due next, when it is due
//	fire KIND STEP ATTEMPT                a timer of that name, now
//	wait DURATION
//	cancel REASON
//	retry|skip|force|resolve [STEP] : REASON
//	state
func (s *script) command(command string) string {
	word, rest, _ := strings.Cut(command, " ")
	in := Input[[]string]{}
	switch word {
	case "wait":
		d, err := time.ParseDuration(rest)
		if err != nil {
			s.t.Fatal(err)
		}
		s.now = s.now.Add(d)
		return ""
	case "state":
		return fmt.Sprintf("%q\n", s.i.State)
	case "start":
		in.Start = &[]string{}
	case "cancel":
		in.Cancel = &rest
	case "fire":
		in.Timer = s.timer(rest)
	case "begins":
		in.Answer = &Answer[[]string]{Begins: true, Apply: note("begun")}
	case "retry", "skip", "force", "resolve":
		step, reason, _ := strings.Cut(rest, ":")
		in.Act = &Act{Do: ActAction(word), Step: strings.TrimSpace(step), Reason: strings.TrimSpace(reason), Actor: "kim"}
	default:
		in.Answer = answer(word, rest)
		s.messages++
		in.Event = event.Event{ID: fmt.Sprintf("m%d", s.messages), Type: "answer"}
	}
	return s.decide(in)
}

func (s *script) timer(text string) *Timer {
	if text != "" {
		f := append(strings.Fields(text), "", "")
		n, _ := strconv.Atoi(f[2])
		return &Timer{Kind: TimerKind(f[0]), Step: f[1], Attempt: n}
	}
	for _, t := range s.i.Timers {
		if t.Due.Equal(s.i.NextDue()) {
			s.now = t.Due
			return &t
		}
	}
	s.t.Fatal("no timer to fire")
	return nil
}

func answer(step, rest string) *Answer[[]string] {
	a := &Answer[[]string]{Step: step}
	for k, word := range strings.Fields(rest) {
		number, isAttempt := strings.CutPrefix(word, "attempt=")
		switch {
		case k == 0:
			a.Result = Result(word)
		case isAttempt:
			a.Attempt, _ = strconv.Atoi(number)
		default:
			a.Reason = strings.TrimSpace(a.Reason + " " + word)
		}
	}
	a.Apply = note(step + " " + string(a.Result))
	return a
}

func note(text string) func(*[]string) {
	return func(s *[]string) { *s = append(*s, text) }
}

func (s *script) decide(in Input[[]string]) string {
	before := fmt.Sprintf("%+v", s.i)
	if s.i.Revision == 0 {
		s.i.ID, s.i.CorrelationID = "1", "c1"
	}
	decision, err := s.d.Decide(s.i, in, s.now)
	if s.i.Revision > 0 && before != fmt.Sprintf("%+v", s.i) {
		s.t.Errorf("the instance was changed: %s -> %+v", before, s.i)
	}
	switch {
	case err != nil:
		return "error: " + err.Error() + "\n"
	case decision.Stale:
		return "stale\n"
	}
	s.i = restore(s.t, decision.Instance)
	return s.show(decision)
}

// restore is what a store does with an instance.
func restore[S any](t testing.TB, i Instance[S]) Instance[S] {
	t.Helper()
	r, err := encodeInstance(i)
	if err != nil {
		t.Fatal(err)
	}
	restored, err := decodeRecord[S](r)
	if err != nil {
		t.Fatal(err)
	}
	return restored
}

func (s *script) show(d Decision[[]string]) string {
	var out strings.Builder
	keys := map[string]string{}
	for _, m := range d.Messages {
		keys[m.ID] = fmt.Sprintf("%s [%s]", m.Type, m.Headers[HeaderKey])
	}
	for _, e := range d.Entries {
		line := fmt.Sprintf("  +%s %s", brief(e.At.Sub(s.start)), e.Kind)
		if e.Step != "" {
			line += " " + e.Step
		}
		if e.Attempt > 0 {
			line += fmt.Sprintf("/%d", e.Attempt)
		}
		for _, word := range []string{keys[e.MessageID], string(e.Status), e.Actor, e.Note} {
			if word != "" {
				line += " " + word
			}
		}
		out.WriteString(line + "\n")
	}
	out.WriteString(s.standing(d.Instance) + "\n")
	return out.String()
}

func (s *script) standing(i Instance[[]string]) string {
	text := string(i.Status)
	if i.Reason != "" {
		text += " (" + i.Reason + ")"
	}
	for _, step := range i.Steps {
		text += " " + step.Name + "=" + string(step.Phase)
		if step.Parked {
			text += "!"
		}
	}
	for _, timer := range i.Timers {
		text += fmt.Sprintf(" @%s:%s", brief(timer.Due.Sub(s.start)), timer.Kind)
		if timer.Step != "" {
			text += fmt.Sprintf(":%s/%d", timer.Step, timer.Attempt)
		}
	}
	return text
}

// tells is a function of a definition: it leaves its mark and sends one message.
func tells(typ string) func(c Context, s *[]string) []outbox.Message {
	return func(c Context, s *[]string) []outbox.Message {
		*s = append(*s, fmt.Sprintf("%s %d", typ, c.Attempt))
		return []outbox.Message{{Topic: typ, Event: event.New(typ, c.ID, *s)}}
	}
}
