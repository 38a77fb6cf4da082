package saga

import (
	"errors"
	"fmt"
	"time"
)

// maxName bounds the names of sagas and steps, in bytes.
const maxName = 100

// maxWait bounds timeouts and deadlines, so that adding one to a time stays a time.
const maxWait = 100 * 365 * 24 * time.Hour

// Validate reports all that is wrong with a definition; the error wraps ErrConfig.
func (d Definition[S]) Validate() error {
	v := &validation{saga: d.Name, steps: map[string]bool{}}
	v.name("Name", d.Name)
	v.check(d.Version >= 0, "Version %d is negative", d.Version)
	v.wait("Deadline", d.Deadline)
	v.check(d.OnDeadline == CompensateAtDeadline || d.OnDeadline == ReviewAtDeadline, "OnDeadline %d is no policy", d.OnDeadline)
	if d.choreographed {
		validateChoreography(v, d)
	} else {
		v.check(len(d.Steps) > 0, "Steps is empty")
	}
	for _, s := range d.Steps {
		validateStep(v, s)
	}
	v.check(v.pivots < 2, "%d steps are a Pivot, at most one can be", v.pivots)
	topics := map[string]bool{}
	for i, r := range d.Replies {
		v.check(r.Topic != "", "Replies[%d] has no Topic", i)
		v.check(r.Read != nil, "Replies[%d] has no Read", i)
		v.check(!topics[r.Topic], "two Replies read topic %q", r.Topic)
		topics[r.Topic] = true
	}
	return errors.Join(v.problems...)
}

func validateStep[S any](v *validation, s Step[S]) {
	v.newStep(s.Name)
	if s.Parallel == nil {
		validateLeaf(v, s)
		return
	}
	leaf := s.Action != nil || s.Notify || s.Compensation != nil || s.CompensationNotify || s.Skip != nil ||
		s.Timeout != 0 || s.Retry != Retry{} || s.CompensationTimeout != 0 || s.CompensationRetry != Retry{} ||
		s.Pivot || s.ContinueOnError || s.Abortable || s.OnlySuccess
	v.check(!leaf, "step %q: only Name can be set beside Parallel; set the rest in its branches", s.Name)
	v.check(len(s.Parallel) > 0, "step %q: Parallel has no branch", s.Name)
	for i, branch := range s.Parallel {
		v.check(len(branch) > 0, "step %q: branch %d is empty", s.Name, i)
		for _, inner := range branch {
			v.newStep(inner.Name)
			v.check(inner.Parallel == nil, "step %q: a branch cannot have branches", inner.Name)
			validateLeaf(v, inner)
		}
	}
}

func validateLeaf[S any](v *validation, s Step[S]) {
	check := func(ok bool, text string) { v.check(ok, "step %q: %s", s.Name, text) }
	check(!s.Notify || s.Action != nil, "Notify needs an Action")
	check(!s.Notify || s.Timeout == 0 && s.Retry == Retry{}, "Notify has no answer, so no Timeout and no Retry")
	check(s.Action != nil || s.Retry.Attempts < 2, "Retry needs an Action")
	check(s.Compensation != nil || !s.CompensationNotify, "CompensationNotify needs a Compensation")
	check(s.Compensation != nil || !s.Abortable, "Abortable needs a Compensation")
	check(!s.Abortable || !s.OnlySuccess, "Abortable compensates whatever the answer, OnlySuccess does not: it can be one of them")
	if s.Pivot {
		v.pivots++
		check(s.Compensation == nil, "a Pivot is never compensated")
		check(!s.ContinueOnError, "a Pivot that failed cannot be passed over")
	}
	v.wait(fmt.Sprintf("step %q: Timeout", s.Name), s.Timeout)
	v.wait(fmt.Sprintf("step %q: CompensationTimeout", s.Name), s.CompensationTimeout)
	v.retry(fmt.Sprintf("step %q: Retry", s.Name), s.Retry)
	v.retry(fmt.Sprintf("step %q: CompensationRetry", s.Name), s.CompensationRetry)
}

func validateChoreography[S any](v *validation, d Definition[S]) {
	v.check(d.Deadline != 0, "a choreography needs a Deadline: nothing else notices that a participant is missing")
	required := 0
	for _, group := range d.Steps {
		for _, branch := range group.Parallel {
			if !branch[0].optional {
				required++
			}
		}
	}
	v.check(required > 0, "a choreography needs a participant that is not Optional")
}

// validation gathers what is wrong.
type validation struct {
	saga     string
	steps    map[string]bool
	pivots   int
	problems []error
}

func (v *validation) check(ok bool, format string, args ...any) {
	if !ok {
		v.problems = append(v.problems, fmt.Errorf("%w: saga %q: %s", ErrConfig, v.saga, fmt.Sprintf(format, args...)))
	}
}

func (v *validation) name(what, name string) {
	v.check(validName(name), "%s %q must be 1 to %d letters, digits, '.', '_' or '-'", what, name, maxName)
}

func (v *validation) newStep(name string) {
	v.name("step", name)
	v.check(!v.steps[name], "two steps are named %q", name)
	v.steps[name] = true
}

func (v *validation) wait(what string, d time.Duration) {
	v.check(d >= 0 && d <= maxWait, "%s %s is negative or above a century", what, d)
}

func (v *validation) retry(what string, r Retry) {
	v.check(r.Attempts >= 0, "%s.Attempts %d is negative", what, r.Attempts)
	v.wait(what+".Min", r.Min)
	v.wait(what+".Max", r.Max)
	v.check(r.Max == 0 || r.Min <= r.Max, "%s.Min %s is above Max %s", what, r.Min, r.Max)
}

func validName(name string) bool {
	for _, c := range []byte(name) {
		letter := 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9'
		if !letter && c != '.' && c != '_' && c != '-' {
			return false
		}
	}
	return name != "" && len(name) <= maxName
}
