package server

import (
	"math/rand/v2"
	"slices"
	"sync"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// Bounds on what is remembered of clients that fetch (KIP-227). Who gets no session names
// all partitions in each request.
const (
	mostSessions     = 1000
	mostSessionParts = 200_000
	sessionIdle      = 2 * time.Minute // when another one may have the place
)

// Epochs of sessions in requests.
const (
	newSession int32 = 0
	noSession  int32 = -1
)

// fetchSessions are all of a server.
type fetchSessions struct {
	mu    sync.Mutex
	byID  map[int32]*fetchSession
	parts int
}

// fetchSession is what a client has said before: its requests have what changed only, and
// so have their answers.
type fetchSession struct {
	id       int32
	used     time.Time // with the server's sessions' lock
	counted  int       // parts, in fetchSessions
	topicIDs bool

	mu    sync.Mutex // held while a request is under way
	epoch int32      // of the next request
	parts []*sessionPart
	index map[partitionKey]*sessionPart
}

// partitionKey names a partition as a request does.
type partitionKey struct {
	name  string
	id    [16]byte
	index int32
}

// sessionPart is a partition, with what the client was told of it.
type sessionPart struct {
	key                  partitionKey
	asked                kmsg.FetchRequestTopicPartition
	highWatermark, start int64
}

// findSession finds or makes the request's session and takes in what it changes.
func (f *fetch) findSession() *kerr.Error {
	if f.req.Version < 7 {
		return nil
	}
	sessions := &f.server.fetching.sessions
	id, epoch := f.req.SessionID, f.req.SessionEpoch
	if epoch == newSession || epoch == noSession {
		sessions.end(id)
		if epoch == newSession {
			f.session = sessions.begin(f.req, time.Now())
		}
		return nil
	}
	s := sessions.use(id, time.Now())
	if s == nil {
		return kerr.FetchSessionIDNotFound
	}
	if !s.mu.TryLock() { // an older request is under way
		return kerr.InvalidFetchSessionEpoch
	}
	f.session, f.incremental = s, true
	switch {
	case s.epoch != epoch:
		return kerr.InvalidFetchSessionEpoch
	case s.topicIDs != (f.req.Version >= byTopicID):
		return kerr.FetchSessionTopicIDError
	}
	s.change(f.req)
	if !sessions.recount(s) {
		sessions.end(id)
		return kerr.FetchSessionIDNotFound // it has become too large
	}
	if s.epoch++; s.epoch < 0 {
		s.epoch = 1
	}
	return nil
}

func (f *fetch) wantSession() {
	for _, part := range f.session.parts {
		f.want(part.key.name, part.key.id, &part.asked, part)
	}
}

// begin makes a session that is locked, or returns nil where there is no place for it.
func (all *fetchSessions) begin(req *kmsg.FetchRequest, now time.Time) *fetchSession {
	s := &fetchSession{epoch: 1, topicIDs: req.Version >= byTopicID, used: now, index: map[partitionKey]*sessionPart{}}
	s.change(req)
	all.mu.Lock()
	defer all.mu.Unlock()
	if all.byID == nil {
		all.byID = map[int32]*fetchSession{}
	}
	if len(all.byID) >= mostSessions || all.parts+len(s.parts) > mostSessionParts {
		if all.evict(now); len(all.byID) >= mostSessions || all.parts+len(s.parts) > mostSessionParts {
			return nil
		}
	}
	for s.id == 0 || all.byID[s.id] != nil {
		s.id = rand.Int32()
	}
	s.counted = len(s.parts)
	all.parts += s.counted
	all.byID[s.id] = s
	s.mu.Lock()
	return s
}

// evict ends the session that was not used for the longest time, if that is long.
func (all *fetchSessions) evict(now time.Time) {
	var oldest *fetchSession
	for _, s := range all.byID {
		if oldest == nil || s.used.Before(oldest.used) {
			oldest = s
		}
	}
	if oldest != nil && now.Sub(oldest.used) > sessionIdle {
		all.remove(oldest)
	}
}

func (all *fetchSessions) remove(s *fetchSession) {
	delete(all.byID, s.id)
	all.parts -= s.counted
}

func (all *fetchSessions) end(id int32) {
	all.mu.Lock()
	defer all.mu.Unlock()
	if s := all.byID[id]; s != nil {
		all.remove(s)
	}
}

func (all *fetchSessions) use(id int32, now time.Time) *fetchSession {
	all.mu.Lock()
	defer all.mu.Unlock()
	s := all.byID[id]
	if s != nil {
		s.used = now
	}
	return s
}

// recount notes how many partitions a session has, and says whether there may be so many.
func (all *fetchSessions) recount(s *fetchSession) bool {
	all.mu.Lock()
	defer all.mu.Unlock()
	if all.byID[s.id] != s {
		return false
	}
	all.parts += len(s.parts) - s.counted
	s.counted = len(s.parts)
	return all.parts <= mostSessionParts
}

// change takes in what a request adds, changes and forgets.
func (s *fetchSession) change(req *kmsg.FetchRequest) {
	for _, t := range req.ForgottenTopics {
		for _, index := range t.Partitions {
			delete(s.index, partitionKey{t.Topic, t.TopicID, index})
		}
	}
	if len(req.ForgottenTopics) > 0 {
		s.parts = slices.DeleteFunc(s.parts, func(p *sessionPart) bool { return s.index[p.key] != p })
	}
	for _, t := range req.Topics {
		for _, p := range t.Partitions {
			key := partitionKey{t.Topic, t.TopicID, p.Partition}
			part := s.index[key]
			if part == nil {
				part = &sessionPart{key: key, highWatermark: -1, start: -1}
				s.index[key] = part
				s.parts = append(s.parts, part)
			}
			part.asked = p
		}
	}
}

// news says whether the client knows less than was found.
func (p *sessionPart) news(w *want) bool {
	return w.offsets.HighWatermark != p.highWatermark || w.offsets.Start != p.start
}

// told notes what the client will know. Partitions that had records go last where others
// had to wait for them.
func (s *fetchSession) told(f *fetch) {
	if s == nil {
		return
	}
	for i := range f.wants {
		w := &f.wants[i]
		w.part.highWatermark, w.part.start = w.offsets.HighWatermark, w.offsets.Start // -1 after an error, which is told again
	}
	if !f.full {
		return
	}
	s.parts = s.parts[:0]
	for _, had := range []bool{false, true} {
		for i := range f.wants {
			if w := &f.wants[i]; (len(w.data) > 0) == had {
				s.parts = append(s.parts, w.part)
			}
		}
	}
}

func (s *fetchSession) unlock() {
	if s != nil {
		s.mu.Unlock()
	}
}
