package broker

import (
	"sync"
	"sync/atomic"
	"time"

	"github.com/pabal-dev/pabal/kafka/broker/internal/server"
	"github.com/pabal-dev/pabal/kafka/broker/internal/vfs"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kmsg"
	"github.com/twmb/franz-go/pkg/kversion"
)

// Faults have a broker misbehave as brokers, disks and networks do, for tests: name them in
// Config, and call their methods while the broker runs. The zero value is no fault. All
// methods are safe for concurrent use.
type Faults struct {
	// MaxVersions, where set before Start, has the broker offer nothing newer, as
	// an older one.
	MaxVersions *kversion.Versions

	ahead     atomic.Int64 // of the clock, in nanoseconds
	syncDelay atomic.Int64
	diskError atomic.Pointer[error]

	mu       sync.Mutex
	answers  map[kmsg.Key]func(kmsg.Request) kmsg.Response
	produce  refusals
	moved    int
	inMemory bool // this and what follows are the broker's
	cut      func()
	cutFrom  func(int)
	tick     func()
}

// refusals are how often, and with what, requests are refused.
type refusals struct {
	err   *kerr.Error
	times int // negative: always
}

// Answer has every request of a kind answered by answer, without effect, where that is not
// nil: it is then carried out. A nil answer ends that. answer may be called from several
// goroutines at a time.
func (f *Faults) Answer(kind kmsg.Key, answer func(kmsg.Request) kmsg.Response) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.answers == nil {
		f.answers = map[kmsg.Key]func(kmsg.Request) kmsg.Response{}
	}
	f.answers[kind] = answer
}

// RefuseProduce has the next requests to produce refused with an error, and nothing
// appended. Negative times: all, until it is called with 0.
func (f *Faults) RefuseProduce(err *kerr.Error, times int) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.produce = refusals{err, times}
}

// MoveCoordinators has the next requests to coordinators of groups and transactions
// answered with NOT_COORDINATOR, as if these had moved. Clients look for them then, and
// find them here again.
func (f *Faults) MoveCoordinators(requests int) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.moved = requests
}

// SlowSync has every sync of the disk take d at least, as a slow disk's does; of a broker in
// memory, every answer to a request to produce comes so much later.
func (f *Faults) SlowSync(d time.Duration) { f.syncDelay.Store(int64(d)) }

// FailDisk has everything that is written to the disk fail with an error, such as
// syscall.ENOSPC; nil ends that. A broker in memory has no disk.
func (f *Faults) FailDisk(err error) {
	if err == nil {
		f.diskError.Store(nil)
		return
	}
	f.diskError.Store(&err)
}

// CutConnections closes all connections at once. Requests that were read are carried out,
// and nobody learns of it.
func (f *Faults) CutConnections() {
	f.mu.Lock()
	cut := f.cut
	f.mu.Unlock()
	if cut != nil {
		cut()
	}
}

// CutAfter closes every connection in place of the answer that comes after that many more.
func (f *Faults) CutAfter(answers int) {
	f.mu.Lock()
	cut := f.cutFrom
	f.mu.Unlock()
	if cut != nil {
		cut(answers)
	}
}

// Advance moves the broker's clock, also backwards, and has it do what is due then.
func (f *Faults) Advance(d time.Duration) {
	f.ahead.Add(int64(d))
	f.mu.Lock()
	tick := f.tick
	f.mu.Unlock()
	if tick != nil {
		tick()
	}
}

// clock is now, moved.
func (f *Faults) clock(now func() time.Time) func() time.Time {
	return func() time.Time { return now().Add(time.Duration(f.ahead.Load())) }
}

// of has the faults be those of a broker.
func (f *Faults) of(b *Broker) {
	if f == nil {
		return
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	f.cut, f.cutFrom = b.wire.CutConnections, b.wire.CutAfter
	f.tick = func() { b.node.Maintain(); b.server.Tick() }
	f.inMemory = b.config.Durability == Memory
}

// intercept is asked about each request.
func (f *Faults) intercept(req kmsg.Request) (resp kmsg.Response, delay time.Duration) {
	f.mu.Lock()
	answer := f.answers[kmsg.Key(req.Key())]
	var refused *kerr.Error
	if produce, ok := req.(*kmsg.ProduceRequest); ok {
		if f.inMemory {
			delay = f.delay()
		}
		if refused = f.produce.take(); refused != nil {
			resp = server.RefuseProduce(produce, refused)
		}
	} else if f.moved > 0 {
		if resp = server.NotCoordinator(req); resp != nil {
			f.moved--
		}
	}
	f.mu.Unlock()
	if resp == nil && answer != nil {
		resp = answer(req)
	}
	return resp, delay
}

func (r *refusals) take() *kerr.Error {
	if r.times == 0 {
		return nil
	}
	if r.times > 0 {
		r.times--
	}
	return r.err
}

func (f *Faults) delay() time.Duration {
	if f == nil {
		return 0
	}
	return time.Duration(f.syncDelay.Load())
}

func (f *Faults) slowly(sync func() error) error {
	until := time.Now().Add(f.delay())
	err := sync()
	time.Sleep(time.Until(until))
	return err
}

func (f *Faults) disk() error {
	if err := f.diskError.Load(); err != nil {
		return *err
	}
	return nil
}

// faultyFS is a disk with faults.
type faultyFS struct {
	vfs.FS
	faults *Faults
}

func (d faultyFS) Create(name string) (vfs.File, error) {
	if err := d.faults.disk(); err != nil {
		return nil, err
	}
	return d.file(d.FS.Create(name))
}

func (d faultyFS) Open(name string) (vfs.File, error) { return d.file(d.FS.Open(name)) }

func (d faultyFS) file(f vfs.File, err error) (vfs.File, error) {
	if err != nil {
		return nil, err
	}
	return faultyFile{f, d.faults}, nil
}

func (d faultyFS) Rename(from, to string) error {
	if err := d.faults.disk(); err != nil {
		return err
	}
	return d.FS.Rename(from, to)
}

func (d faultyFS) SyncDir(name string) error {
	if err := d.faults.disk(); err != nil {
		return err
	}
	return d.faults.slowly(func() error { return d.FS.SyncDir(name) })
}

type faultyFile struct {
	vfs.File
	faults *Faults
}

func (f faultyFile) WriteAt(b []byte, at int64) (int, error) {
	if err := f.faults.disk(); err != nil {
		return 0, err
	}
	return f.File.WriteAt(b, at)
}

func (f faultyFile) Sync() error {
	if err := f.faults.disk(); err != nil {
		return err
	}
	return f.faults.slowly(f.File.Sync)
}
