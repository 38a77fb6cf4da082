package client

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"time"
)

// writeEvery is how often the file is written at most.
const writeEvery = time.Second

// open reads the file and keeps it up to date until close. A file that cannot be understood, or
// that is of another registry, is as none.
func (m *memory) open() error {
	path := m.cfg.CacheFile
	if path == "" {
		return nil
	}
	data, err := os.ReadFile(path)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("%w: read the cache file: %w", ErrConfig, err)
	}
	if info, err := os.Stat(filepath.Dir(path)); err != nil || !info.IsDir() {
		return fmt.Errorf("%w: the cache file %s is in no folder", ErrConfig, path)
	}
	var k known
	switch err := json.Unmarshal(data, &k); {
	case len(data) == 0:
	case err != nil:
		m.cfg.Logger.Warn("schema registry: the cache file is left out", "file", path, "error", err)
	case !slices.Equal(k.URLs, m.cfg.URLs) || k.Context != m.cfg.Context:
		m.cfg.Logger.Warn("schema registry: the cache file is of another registry or context, and is left out", "file", path, "urls", k.URLs)
	default:
		m.known = k
		m.known.fill()
	}
	m.wake = make(chan struct{}, 1)
	m.done.Go(m.follow)
	return nil
}

// dirty is called with the lock held.
func (m *memory) dirty() {
	m.changed = true
	if m.wake == nil {
		return
	}
	select {
	case m.wake <- struct{}{}:
	default: // it is awake
	}
}

func (m *memory) follow() {
	for {
		select {
		case <-m.wake:
		case <-m.stop:
			return
		}
		m.write()
		select {
		case <-time.After(writeEvery):
		case <-m.stop:
			return
		}
	}
}

// close writes what is not written yet.
func (m *memory) close() error {
	if m.wake == nil {
		return nil
	}
	m.ending.Do(func() { close(m.stop) })
	m.done.Wait()
	m.write()
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.failed
}

func (m *memory) write() {
	m.mu.Lock()
	if !m.changed {
		m.mu.Unlock()
		return
	}
	m.changed = false
	data, err := json.Marshal(m.known)
	m.mu.Unlock()
	if err == nil {
		err = replace(m.cfg.CacheFile, data)
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.failed = err; err != nil {
		m.changed = true
		m.cfg.Logger.Warn("schema registry: the cache file cannot be written", "file", m.cfg.CacheFile, "error", err)
	}
}

// replace writes a file such that others see the old or the new one, also after a crash.
func replace(path string, data []byte) error {
	f, err := os.CreateTemp(filepath.Dir(path), ".schemas-*")
	if err != nil {
		return err
	}
	_, err = f.Write(data)
	err = errors.Join(err, f.Sync(), f.Close())
	if err == nil {
		err = os.Rename(f.Name(), path)
	}
	if err != nil {
		return errors.Join(err, os.Remove(f.Name()))
	}
	return nil
}
