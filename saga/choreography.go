package saga

// participants names the group of a choreography's steps.
const participants = "_participants"

// Definition is c as a definition: all participants wait side by side from the first
// event on, and one is compensated only if it has succeeded. Validate it there.
func (c Choreography[S]) Definition() Definition[S] {
	d := Definition[S]{
		Name: c.Name, Version: c.Version, Replies: c.Replies,
		Deadline: c.Deadline, OnDeadline: c.OnDeadline,
		OnCompensate: c.OnCompensate, OnEnd: c.OnEnd,
		choreographed: true,
	}
	branches := make([][]Step[S], 0, len(c.Participants))
	for _, p := range c.Participants {
		branches = append(branches, []Step[S]{{
			Name:         p.Name,
			Compensation: p.Compensation, CompensationNotify: p.CompensationNotify,
			CompensationTimeout: p.CompensationTimeout, CompensationRetry: p.CompensationRetry,
			OnlySuccess: true, optional: p.Optional,
		}})
	}
	d.Steps = []Step[S]{{Name: participants, Parallel: branches}}
	return d
}
