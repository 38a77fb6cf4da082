package saga

import "time"

// Defaults.
const (
	defaultMin          = time.Second
	defaultMax          = time.Minute
	defaultUndoAttempts = 5
)

func (d *Definition[S]) version() int { return max(d.Version, 1) }

// step finds a step by its name, also in branches; nil where there is none.
func (d *Definition[S]) step(name string) *Step[S] {
	for i := range d.Steps {
		s := &d.Steps[i]
		if s.Parallel == nil {
			if s.Name == name {
				return s
			}
			continue
		}
		for _, branch := range s.Parallel {
			for j := range branch {
				if branch[j].Name == name {
					return &branch[j]
				}
			}
		}
	}
	return nil
}

// tolerated says whether the saga goes on without it.
func (s *Step[S]) tolerated() bool { return s.ContinueOnError || s.optional }

func (s *Step[S]) attempts() int { return max(s.Retry.Attempts, 1) }

func (s *Step[S]) undoAttempts() int {
	if s.CompensationRetry.Attempts == 0 {
		return defaultUndoAttempts
	}
	return s.CompensationRetry.Attempts
}

func (s *Step[S]) undoTimeout() time.Duration {
	if s.CompensationTimeout == 0 {
		return s.Timeout
	}
	return s.CompensationTimeout
}

// pause before the attempt that follows the n-th.
func (r Retry) pause(n int) time.Duration {
	wait, most := r.Min, r.Max
	if wait == 0 {
		wait = defaultMin
	}
	if most == 0 {
		most = max(defaultMax, wait)
	}
	for ; n > 1 && wait < most; n-- {
		wait *= 2
	}
	return min(wait, most)
}
