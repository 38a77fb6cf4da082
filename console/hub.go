package console

import (
	"context"
	"crypto/rand"
	"fmt"
	"log/slog"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/pabal-dev/pabal/console/api"
)

const (
	// perListener events wait for a listener; one who falls behind is dropped.
	perListener = 8
	// recentEvents are kept for listeners who come back.
	recentEvents = 64
)

// hub makes the overview once for all who listen, and only while somebody does.
type hub struct {
	produce func(context.Context) (api.Overview, error)
	period  time.Duration
	logger  *slog.Logger
	// epoch tells ids of this process from another's.
	epoch string

	mu        sync.Mutex
	listeners map[chan []byte]struct{}
	closed    bool
	producing bool
	stop      context.CancelFunc
	running   sync.WaitGroup
	sequence  uint64
	latest    []byte // the last overview's frame
	recent    []numbered
	known     map[violationKey]bool
}

type numbered struct {
	sequence uint64
	frame    []byte
}

// violationKey tells violations apart; their words have figures that change.
type violationKey struct {
	rule, service string
	since         time.Time
}

func newHub(produce func(context.Context) (api.Overview, error), logger *slog.Logger) *hub {
	return &hub{produce: produce, period: time.Second, logger: logger, epoch: rand.Text()[:8], listeners: map[chan []byte]struct{}{}}
}

// listen returns a channel of frames, closed when the listener is too slow or the hub
// closes, with what was missed since that id first. The caller calls leave.
func (h *hub) listen(lastID string) (frames chan []byte, leave func(), err error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.closed {
		return nil, nil, fmt.Errorf("%w: the console stops", api.ErrUnavailable)
	}
	missed := h.missed(lastID)
	frames = make(chan []byte, perListener+len(missed))
	for _, f := range missed {
		frames <- f
	}
	h.listeners[frames] = struct{}{}
	if !h.producing {
		h.producing = true
		ctx, cancel := context.WithCancel(context.Background())
		h.stop = cancel
		h.running.Go(func() { h.run(ctx) })
	}
	return frames, func() { h.leave(frames) }, nil
}

// missed are the violations after an id of this process, and the latest overview.
func (h *hub) missed(lastID string) [][]byte {
	var frames [][]byte
	if epoch, number, ok := strings.Cut(lastID, "-"); ok && epoch == h.epoch {
		if last, err := strconv.ParseUint(number, 10, 64); err == nil {
			for _, n := range h.recent {
				if n.sequence > last {
					frames = append(frames, n.frame)
				}
			}
		}
	}
	if h.producing && h.latest != nil {
		frames = append(frames, h.latest)
	}
	return frames
}

func (h *hub) leave(frames chan []byte) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if _, listens := h.listeners[frames]; listens {
		delete(h.listeners, frames)
		close(frames)
	}
}

// run produces every period until nobody listens.
func (h *hub) run(ctx context.Context) {
	tick := time.NewTicker(h.period)
	defer tick.Stop()
	for {
		overview, err := h.produce(ctx)
		if err == nil {
			err = h.publish(overview)
		}
		if err != nil && ctx.Err() == nil {
			h.logger.Error("console: the overview is not there", "error", err)
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
		}
		if h.idle(ctx) {
			return
		}
	}
}

// idle ends the producing where nobody listens.
func (h *hub) idle(ctx context.Context) bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	if len(h.listeners) > 0 && ctx.Err() == nil {
		return false
	}
	h.producing = false
	h.stop()
	return true
}

func (h *hub) publish(o api.Overview) error {
	data, err := encodeJSON(o)
	if err != nil {
		return err
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	var begun [][]byte
	if o.ViolationsKnown() {
		if begun, err = h.begun(o.Violations); err != nil {
			return err
		}
	}
	for _, v := range begun {
		f := frame("violation", h.nextID(), v)
		h.recent = append(h.recent, numbered{h.sequence, f})
		h.send(f)
	}
	h.recent = h.recent[max(0, len(h.recent)-recentEvents):]
	h.latest = frame("overview", h.nextID(), data)
	h.send(h.latest)
	return nil
}

// begun are the violations that were not there the last time; at the first time none
// is new.
func (h *hub) begun(now []api.Violation) ([][]byte, error) {
	known := map[violationKey]bool{}
	var begun [][]byte
	for _, v := range now {
		k := violationKey{v.Rule, v.Service, v.Since.UTC()}
		if h.known != nil && !h.known[k] && !known[k] {
			data, err := encodeJSON(v)
			if err != nil {
				return nil, err
			}
			begun = append(begun, data)
		}
		known[k] = true
	}
	h.known = known
	return begun, nil
}

func (h *hub) nextID() string {
	h.sequence++
	return fmt.Sprintf("%s-%d", h.epoch, h.sequence)
}

// send gives a frame to all; who has no room for it is dropped, and may come back.
func (h *hub) send(f []byte) {
	for l := range h.listeners {
		select {
		case l <- f:
		default:
			delete(h.listeners, l)
			close(l)
		}
	}
}

// close drops all and returns when nothing is produced any more.
func (h *hub) close() {
	h.mu.Lock()
	h.closed = true
	for l := range h.listeners {
		delete(h.listeners, l)
		close(l)
	}
	if h.stop != nil {
		h.stop()
	}
	h.mu.Unlock()
	h.running.Wait()
}

// events streams the hub's events.
func (c *Console) events(w http.ResponseWriter, r *http.Request) error {
	if err := api.DecodeQuery(r.URL.Query(), &none{}); err != nil {
		return err
	}
	frames, leave, err := c.hub.listen(r.Header.Get("Last-Event-ID"))
	if err != nil {
		return err
	}
	defer leave()
	s, ctx, done, err := c.beginStream(w, r)
	if err != nil {
		return err
	}
	defer done()
	for {
		select {
		case f, ok := <-frames:
			if !ok || s.write(f) != nil {
				return nil
			}
		case <-ctx.Done():
			return nil
		}
	}
}
