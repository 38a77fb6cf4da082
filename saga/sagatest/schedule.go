package sagatest

import (
	"fmt"
	"strings"

	"github.com/pabal-dev/pabal/saga"
)

// Schedule is what happens, in that order.
type Schedule []Step

// Step of a schedule. Which fields are set depends on Do.
type Step struct {
	Do Do
	// Message that is handled, by its id in the model, and by whom: the name of a
	// participant, or SagaName.
	Message, To string
	// Timer that fires, with Step and Attempt.
	Timer saga.TimerKind
	// Act of an operator, with Step.
	Act     saga.ActAction
	Step    string
	Attempt int
	// Request that is made.
	Request string
	// Choices made meanwhile, see Choose.
	Choices []string
}

// Do says what a step does.
type Do string

// What steps do.
const (
	// Begin makes the world, starts the saga and sends the first messages. It comes
	// first, and once.
	Begin Do = "begin"
	// Deliver has the message handled.
	Deliver Do = "deliver"
	// Redeliver has a message handled again.
	Redeliver Do = "redeliver"
	// Crash has the message handled, and the receiver crash afterwards: the message comes
	// again, and answers that left by no outbox are lost.
	Crash Do = "crash"
	// Fire lets a timer fire.
	Fire Do = "fire"
	// Cancel cancels the saga.
	Cancel Do = "cancel"
	// Operate is an operator's act.
	Operate Do = "operate"
	// Call makes a request.
	Call Do = "call"
)

// String describes the step without what came of it.
func (s Step) String() string {
	text := s.what()
	if len(s.Choices) > 0 {
		text += " (" + strings.Join(s.Choices, ", ") + ")"
	}
	return text
}

func (s Step) what() string {
	switch s.Do {
	case Begin:
		return "it begins"
	case Deliver:
		return fmt.Sprintf("%s handles %s", s.To, s.Message)
	case Redeliver:
		return fmt.Sprintf("%s handles %s again", s.To, s.Message)
	case Crash:
		return fmt.Sprintf("%s handles %s and crashes", s.To, s.Message)
	case Fire:
		return "timer " + timerName(saga.Timer{Kind: s.Timer, Step: s.Step, Attempt: s.Attempt}) + " fires"
	case Cancel:
		return "the saga is cancelled"
	case Operate:
		return strings.TrimSpace(fmt.Sprintf("an operator has it %s %s", s.Act, s.Step))
	case Call:
		return "request " + s.Request
	}
	return string(s.Do)
}

func timerName(t saga.Timer) string {
	name := string(t.Kind)
	if t.Step != "" {
		name += " of " + t.Step
	}
	if t.Attempt > 1 {
		name += fmt.Sprintf(" attempt %d", t.Attempt)
	}
	return name
}
