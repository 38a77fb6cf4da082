// Package feed runs what makes a source's records beside the runtime that polls for them: Task has
// the polling, the restarts and the farewell that all sources of changes share, and Queue stands
// between the two goroutines, bounded in bytes.
//
// A connector writes a Source, which reads its database from a position on, and gives it to NewTask.
package feed
