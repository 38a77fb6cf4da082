package saga

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/pabal-dev/pabal/outbox"
)

// define reads
//
//	saga NAME [option...]            or: choreography NAME [option...]
//	step NAME [option...]            or: participant NAME [option...]
//	parallel NAME
//	| NAME [option...] | NAME ...    a branch of it
func (s *script) define(lines []string) string {
	words := strings.Fields(lines[0])
	d := Definition[[]string]{Name: words[1]}
	var c Choreography[[]string]
	for _, line := range lines[1:] {
		kind, rest, _ := strings.Cut(line, " ")
		switch kind {
		case "step":
			d.Steps = append(d.Steps, step(rest))
		case "parallel":
			d.Steps = append(d.Steps, Step[[]string]{Name: rest})
		case "|":
			last := &d.Steps[len(d.Steps)-1]
			var branch []Step[[]string]
			for one := range strings.SplitSeq(rest, "|") {
				branch = append(branch, step(one))
			}
			last.Parallel = append(last.Parallel, branch)
		case "participant":
			p := step(rest)
			c.Participants = append(c.Participants, Participant[[]string]{
				Name: p.Name, Compensation: p.Compensation, CompensationNotify: p.CompensationNotify,
				CompensationTimeout: p.CompensationTimeout, CompensationRetry: p.CompensationRetry,
				Optional: strings.Contains(rest, "optional"),
			})
		}
	}
	for _, option := range words[2:] {
		define(&d, option)
	}
	if words[0] == "choreography" {
		c.Name, c.Deadline, c.OnDeadline, c.OnCompensate, c.OnEnd = d.Name, d.Deadline, d.OnDeadline, d.OnCompensate, d.OnEnd
		d = c.Definition()
	}
	s.d = d
	if err := d.Validate(); err != nil {
		return "error: " + err.Error() + "\n"
	}
	return "ok\n"
}

func define(d *Definition[[]string], option string) {
	name, value, _ := strings.Cut(option, "=")
	switch name {
	case "deadline":
		d.Deadline = duration(value)
	case "review":
		d.OnDeadline = ReviewAtDeadline
	case "on-compensate":
		d.OnCompensate = tells("undoing")
	case "on-end":
		d.OnEnd = func(c Context, s *[]string, end Status) []outbox.Message { return tells(string(end))(c, s) }
	case "cancellable":
		d.Cancellable = func(_ Context, s []string) error {
			for _, text := range s {
				if text == value+" SUCCEEDED" {
					return errors.New("too late: " + text)
				}
			}
			return nil
		}
	default:
		panic(fmt.Sprintf("unknown option %q of a saga", name))
	}
}

func step(text string) Step[[]string] {
	words := strings.Fields(text)
	s := Step[[]string]{Name: words[0], Action: tells(words[0])}
	for _, option := range words[1:] {
		name, value, _ := strings.Cut(option, "=")
		switch name {
		case "waits":
			s.Action = nil
		case "notify":
			s.Notify = true
		case "undo":
			s.Compensation = tells("un-" + s.Name)
		case "undo-notify":
			s.Compensation, s.CompensationNotify = tells("un-"+s.Name), true
		case "undo-nothing":
			s.Compensation = func(Context, *[]string) []outbox.Message { return nil }
		case "undo-timeout":
			s.CompensationTimeout = duration(value)
		case "undo-attempts":
			_, _ = fmt.Sscan(value, &s.CompensationRetry.Attempts)
		case "timeout":
			s.Timeout = duration(value)
		case "attempts":
			_, _ = fmt.Sscan(value, &s.Retry.Attempts)
		case "skip-after":
			s.Skip = func(state []string) bool { return strings.Contains(strings.Join(state, ","), value+" SUCCEEDED") }
		case "pivot":
			s.Pivot = true
		case "continue":
			s.ContinueOnError = true
		case "abortable":
			s.Abortable = true
		case "only-success":
			s.OnlySuccess = true
		case "optional":
		default:
			panic(fmt.Sprintf("unknown option %q of step %s", name, s.Name))
		}
	}
	return s
}

func duration(text string) time.Duration {
	d, err := time.ParseDuration(text)
	if err != nil {
		panic(err)
	}
	return d
}
