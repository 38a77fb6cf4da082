package connect

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"strings"
	"sync"

	"github.com/VictoriaMetrics/metrics"

	"github.com/pabal-dev/pabal/connect/config"
	"github.com/pabal-dev/pabal/connect/converter"
	"github.com/pabal-dev/pabal/connect/plugin"
	"github.com/pabal-dev/pabal/connect/transform"
)

// run is one attempt of a task.
type run struct {
	w      *Worker
	id     unitID
	spec   *spec
	kind   kind
	class  string
	common config.Values
	given  map[string]string // with secrets
	logger *slog.Logger

	keys, values converter.Converter
	headers      plugin.HeaderConverter
	chain        *transform.Chain
	tolerant     bool
	unplugged    sync.Once
}

func (w *Worker) newRun(id unitID, s *spec) (*run, error) {
	given, err := resolve(s.props)
	if err != nil {
		return nil, err
	}
	r := &run{w: w, id: id, spec: s, class: given["connector.class"], given: given,
		logger: w.cfg.Logger.With("connector", id.connector, "task", id.task)}
	var ok bool
	if r.kind, ok = w.kinds.connectors[r.class]; !ok {
		return nil, fmt.Errorf("%w: no connector has the class %q", config.ErrConfig, r.class)
	}
	if r.common, err = r.kind.common().Must(given); err != nil {
		return nil, err
	}
	r.tolerant = strings.EqualFold(r.common.String("errors.tolerance"), "all")
	if err := r.plug(); err != nil {
		r.unplug()
		return nil, err
	}
	return r, nil
}

// plug makes the converters and transforms.
func (r *run) plug() (err error) {
	given := r.w.withConverters(r.given)
	if r.keys, err = r.w.kinds.converter(given, keyConverter); err != nil {
		return err
	}
	if r.values, err = r.w.kinds.converter(given, valueConverter); err != nil {
		return err
	}
	if r.headers, err = r.w.kinds.header(given); err != nil {
		return err
	}
	chain, problems := transform.NewChain(r.given, r.w.kinds.set)
	if len(problems) > 0 {
		return fmt.Errorf("%w: %w", config.ErrConfig, problems[0])
	}
	r.chain = chain
	return nil
}

// unplug ends what converters wait for. It returns when they are closed, however often it is called.
func (r *run) unplug() {
	r.unplugged.Do(func() {
		for _, c := range []any{r.keys, r.values, r.headers} {
			if err := closeConverter(c); err != nil {
				r.logger.Warn("connect: closing a converter", "error", err)
			}
		}
	})
}

// closeConverter of a kind that can be closed.
func closeConverter(c any) error {
	if open, ok := c.(io.Closer); ok {
		return open.Close()
	}
	return nil
}

func (r *run) run(ctx context.Context) error {
	defer r.unplug()
	defer context.AfterFunc(ctx, r.unplug)()
	if r.kind.source != nil {
		return r.runSource(ctx)
	}
	return r.runSink(ctx)
}

// task is what the connector's code is given.
func (r *run) task() (plugin.Common, error) {
	own, err := r.kind.connector.Info().Config.Must(r.given)
	if err != nil {
		return plugin.Common{}, err
	}
	return plugin.Common{
		Connector: r.id.connector, Task: r.id.task, Config: own, Logger: r.logger, Metrics: r.w.cfg.Metrics,
		Kafka: r.w.cfg.Kafka, Memory: r.w.cfg.TaskBytes,
	}, nil
}

func (r *run) running() {
	r.w.report(r.id, stateRunning, nil, r.kind.connector.Info().Version)
}

func (r *run) counter(name string) *metrics.Counter {
	return r.w.cfg.Metrics.GetOrCreateCounter(fmt.Sprintf(`pabal_connect_%s_total{connector=%q,task="%d"}`, name, r.id.connector, r.id.task))
}

// Keys of converters.
const (
	keyConverter    = "key.converter"
	valueConverter  = "value.converter"
	headerConverter = "header.converter"

	jsonClass         = "org.apache.kafka.connect.json.JsonConverter"
	simpleHeaderClass = "org.apache.kafka.connect.storage.SimpleHeaderConverter"
)

// withConverters adds the worker's converters, with their settings, where the connector has none.
func (w *Worker) withConverters(given map[string]string) map[string]string {
	out := maps.Clone(given)
	for key, byDefault := range map[string]string{keyConverter: jsonClass, valueConverter: jsonClass, headerConverter: simpleHeaderClass} {
		if given[key] != "" {
			continue
		}
		out[key] = byDefault
		for name, value := range w.cfg.Converters {
			if name == key || strings.HasPrefix(name, key+".") {
				out[name] = value
			}
		}
	}
	return out
}

// settings of a plugin below a prefix such as "key.converter.".
func settings(given map[string]string, prefix string) map[string]string {
	out := map[string]string{}
	for name, value := range given {
		if rest, ok := strings.CutPrefix(name, prefix); ok {
			out[rest] = value
		}
	}
	return out
}

func (k *kinds) converter(given map[string]string, key string) (converter.Converter, error) {
	p, ok := k.converters[given[key]]
	if !ok {
		return nil, config.Problem{Key: key, Message: invalidClass(key, given[key])}
	}
	v, err := p.Config.Must(settings(given, key+"."))
	if err != nil {
		return nil, fmt.Errorf("%s: %w", key, err)
	}
	return p.New(v, key == keyConverter)
}

func (k *kinds) header(given map[string]string) (plugin.HeaderConverter, error) {
	p, ok := k.headers[given[headerConverter]]
	if !ok {
		return nil, config.Problem{Key: headerConverter, Message: invalidClass(headerConverter, given[headerConverter])}
	}
	v, err := p.Config.Must(settings(given, headerConverter+"."))
	if err != nil {
		return nil, fmt.Errorf("%s: %w", headerConverter, err)
	}
	return p.New(v)
}

func invalidClass(key, class string) string {
	return fmt.Sprintf("Invalid value %s for configuration %s: Class %s could not be found.", class, key, class)
}
