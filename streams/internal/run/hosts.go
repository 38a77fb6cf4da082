package run

import "github.com/pabal-dev/pabal/streams/internal/assign"

// Hosts are all instances of the application with their tasks, this one too, as of the last
// assignment; nil before they are known.
func (r *Runtime) Hosts() []assign.Host {
	if !r.isReady() {
		return nil
	}
	return r.assignments.hosts()
}

// Process is the id of this instance among the Hosts, "" before Start.
func (r *Runtime) Process() string {
	if !r.isReady() {
		return ""
	}
	return r.process
}

// TaskCount is how many tasks a sub-topology has, 0 before Start.
func (r *Runtime) TaskCount(sub int32) int32 {
	if !r.isReady() {
		return 0
	}
	return r.layout().tasks[sub]
}
