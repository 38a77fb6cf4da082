package registry

import (
	"time"

	"github.com/twmb/avro"
)

// Patient has limits that no slow machine meets.
func Patient(c Config) Config {
	c.limits = limits{ask: time.Minute, away: time.Hour, missed: time.Hour, use: time.Minute}
	return c
}

// Away is why the registry is not asked now.
func (d *Decoder) Away() error {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.away
}

// TextOf is the JSON of a value without an id.
func TextOf(s *avro.Schema, b []byte) (string, error) {
	return newWriter(s).text(append([]byte{0, 0, 0, 0, 1}, b...))
}
