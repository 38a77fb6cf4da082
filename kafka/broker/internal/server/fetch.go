package server

import (
	"sync"
	"time"

	"github.com/pabal-dev/pabal/kafka/broker/internal/log"
	"github.com/pabal-dev/pabal/kafka/broker/internal/node"
	"github.com/pabal-dev/pabal/kafka/broker/internal/producer"
	"github.com/pabal-dev/pabal/kafka/broker/internal/wire"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kmsg"
)

const (
	// longestFetch is the longest that a client may have a request wait for records.
	longestFetch = 5 * time.Minute
	// byTopicID is the version of Fetch since which topics have ids and no names.
	byTopicID = 13
)

// fetch answers with records as soon as there are enough, or the client's time is over.
func (s *Server) fetch(c call, req *kmsg.FetchRequest) {
	f := fetches.Get().(*fetch)
	f.begin(s, c, req)
	defer f.end()
	if err := f.find(); err != nil {
		f.refuse(err)
		return
	}
	read := f.read()
	if !f.enough(read) {
		f.await()
	}
	f.answer()
}

// fetch is one request under way.
type fetch struct {
	server    *Server
	call      call
	req       *kmsg.FetchRequest
	committed bool
	deadline  time.Time

	wants   []want
	session *fetchSession // nil: none
	// incremental answers leave out partitions of which there is no news.
	incremental bool

	memory *fetched // of what was read
	full   bool     // as much was read as may be
	news   chan struct{}
}

// want is a partition that records are asked of, and what was found.
type want struct {
	name      string
	id        [16]byte
	partition *node.Partition // nil: refused
	index     int32
	offset    int64
	maxBytes  int
	epoch     int32 // the leader's, as the client knows it; -1: it does not
	lastEpoch int32 // that of the record before offset; -1: not known
	refused   *kerr.Error
	part      *sessionPart // in a session

	err       *kerr.Error
	offsets   log.Offsets
	data      []byte
	aborted   []producer.Aborted
	diverging *log.EpochStart // the last epoch that the client has rightly, and its end
	read      int             // bytes of data
	size      int64           // of the log, before it was read
	readable  int64           // offsets below that were, then
	unread    bool            // there were others
}

var fetches = sync.Pool{New: func() any { return &fetch{news: make(chan struct{}, 1)} }}

func (f *fetch) begin(s *Server, c call, req *kmsg.FetchRequest) {
	f.server, f.call, f.req = s, c, req
	f.committed = req.IsolationLevel == 1
	f.memory = &fetched{budget: s.fetching.budget}
	f.incremental, f.full = false, false
	select {
	case <-f.news: // of the fetch before
	default:
	}
}

// mostKeptWants is how many partitions memory is kept for.
const mostKeptWants = 4096

func (f *fetch) end() {
	f.session.unlock()
	if f.memory != nil {
		f.memory.release()
	}
	clear(f.wants)
	wants := f.wants[:0]
	if cap(wants) > mostKeptWants {
		wants = nil
	}
	*f = fetch{wants: wants, news: f.news}
	fetches.Put(f)
}

// find looks for the partitions asked for, and for the session.
func (f *fetch) find() *kerr.Error {
	if err := f.findSession(); err != nil {
		return err
	}
	if f.session != nil {
		f.wantSession()
		return nil
	}
	for i := range f.req.Topics {
		t := &f.req.Topics[i]
		for j := range t.Partitions {
			f.want(t.Topic, t.TopicID, &t.Partitions[j], nil)
		}
	}
	return nil
}

func (f *fetch) want(name string, id [16]byte, p *kmsg.FetchRequestTopicPartition, part *sessionPart) {
	w := want{
		name: name, id: id, index: p.Partition, offset: p.FetchOffset, maxBytes: int(p.PartitionMaxBytes),
		epoch: p.CurrentLeaderEpoch, lastEpoch: p.LastFetchedEpoch, part: part,
	}
	w.partition, w.refused = f.partition(name, id, p.Partition)
	f.wants = append(f.wants, w)
}

// partition returns one that the client may read, or why there is none.
func (f *fetch) partition(name string, id [16]byte, index int32) (*node.Partition, *kerr.Error) {
	var t *node.Topic
	if f.req.Version < byTopicID {
		t = f.server.topic(name)
	} else {
		t = f.server.topicByID(id)
	}
	if t != nil {
		name = t.Name
	}
	if (t != nil || f.req.Version < byTopicID) && !f.server.mayTopic(f.call.conn, kmsg.ACLOperationRead, name) {
		return nil, kerr.TopicAuthorizationFailed
	}
	if t == nil {
		return nil, f.missing()
	}
	if p := t.Partition(index); p != nil {
		return p, nil
	}
	return nil, kerr.UnknownTopicOrPartition
}

// missing is how a topic is answered that there is not.
func (f *fetch) missing() *kerr.Error {
	if f.req.Version >= byTopicID {
		return kerr.UnknownTopicID
	}
	return kerr.UnknownTopicOrPartition
}

// reading is what was read at a time.
type reading struct {
	bytes  int
	failed bool // an error is to be told
}

// enough says whether the client waits for no more.
func (f *fetch) enough(r reading) bool {
	return r.failed || r.bytes >= int(f.req.MinBytes) || f.req.MaxWaitMillis <= 0 || len(f.wants) == 0 || f.full
}

// read reads what there is, in the order of the request, within the client's bounds.
func (f *fetch) read() (r reading) {
	left := f.server.settings.fetchBytes
	if f.req.Version >= 3 {
		left = min(left, int(f.req.MaxBytes))
	}
	left = min(left, f.memory.most())
	f.full = false
	for i := range f.wants {
		w := &f.wants[i]
		w.err, w.data, w.aborted, w.diverging, w.read = w.refused, nil, nil, nil, 0
		if w.partition != nil {
			f.readOne(w, left-r.bytes, r.bytes == 0)
			r.bytes += len(w.data)
		}
		r.failed = r.failed || w.err != nil || w.diverging != nil
	}
	f.full = f.full || r.bytes > 0 && r.bytes >= left
	return r
}

// readOne reads at most so many bytes, though one batch where it is the first.
func (f *fetch) readOne(w *want, most int, first bool) {
	if w.partition.Gone() {
		w.err = f.missing()
		return
	}
	l := w.partition.Log()
	if f.req.MinBytes > 1 {
		w.size = l.Size()
	}
	w.offsets = l.Offsets()
	w.readable = w.bound(f.committed)
	w.unread = w.readable < w.offsets.Next
	if w.err = checkEpoch(w.partition, w.epoch); w.err != nil {
		return
	}
	if w.lastEpoch >= 0 {
		if w.err = w.diverge(); w.err != nil || w.diverging != nil {
			return
		}
	}
	if w.offset < w.offsets.Start || w.offset > w.offsets.Next {
		w.err = kerr.OffsetOutOfRange
		return
	}
	if w.offset >= w.bound(f.committed) || !first && most <= 0 {
		return
	}
	most = min(max(most, 0), max(w.maxBytes, 0))
	if !f.memory.wait(most, f.waiting, first) {
		f.full = true
		return
	}
	batches, err := l.ReadInto(w.offset, most, f.committed, f.memory.room)
	if err != nil {
		f.memory.unread()
		w.err = f.readError(w, err)
		return
	}
	f.memory.keep(len(batches.Data))
	w.offsets, w.data, w.aborted, w.read = batches.Offsets, batches.Data, batches.Aborted, len(batches.Data)
}

func (w *want) bound(committed bool) int64 {
	if committed {
		return w.offsets.Stable
	}
	return w.offsets.HighWatermark
}

// checkEpoch compares the epoch that a client knows with the leader's.
func checkEpoch(p *node.Partition, epoch int32) *kerr.Error {
	switch {
	case epoch < 0 || epoch == p.Epoch():
		return nil
	case epoch < p.Epoch():
		return kerr.FencedLeaderEpoch
	}
	return kerr.UnknownLeaderEpoch
}

// diverge finds out whether the client has read what is not in the log any more.
func (w *want) diverge() *kerr.Error {
	epoch, end := epochEnd(w.partition, w.lastEpoch)
	if epoch < 0 {
		return kerr.OffsetOutOfRange
	}
	if epoch < w.lastEpoch || end < w.offset {
		w.diverging = &log.EpochStart{Epoch: epoch, Start: end}
	}
	return nil
}

func (f *fetch) readError(w *want, err error) *kerr.Error {
	k := readError(w.partition, err)
	if k == kerr.KafkaStorageError || k == kerr.CorruptMessage {
		f.server.complain(occasion{"records cannot be read", w.partition.Topic.Name, w.index}, "offset", w.offset, "error", err)
	}
	return k
}

// refuse answers the whole request with an error.
func (f *fetch) refuse(err *kerr.Error) {
	resp := f.req.ResponseKind().(*kmsg.FetchResponse)
	resp.ErrorCode = err.Code
	f.call.reply(resp)
}

// fetching is what fetches have in common.
type fetching struct {
	budget   *wire.Budget
	sessions fetchSessions
}
