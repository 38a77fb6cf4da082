package sagas

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
)

// dtmSagas runs each saga through a dtm server, which keeps its state in the same
// PostgreSQL and calls the three participants over HTTP. A participant books in a
// transaction with dtm's barrier row, as its client library does, so that a repeated
// call books nothing.
type dtmSagas struct {
	pool         *pgxpool.Pool
	server       *dtmServer
	participants *httptest.Server
	client       *http.Client
}

const barrierTable = `CREATE SCHEMA dtm_barrier;
CREATE TABLE dtm_barrier.barrier (id bigserial PRIMARY KEY, trans_type varchar(45), gid varchar(128), branch_id varchar(128), op varchar(45),
	barrier_id varchar(45), reason varchar(45), create_time timestamptz, update_time timestamptz, UNIQUE (gid, branch_id, op, barrier_id))`

func startDTM(ctx context.Context, url string, connections int) (*dtmSagas, error) {
	pool, err := newPool(ctx, url, connections)
	if err != nil {
		return nil, err
	}
	if _, err := pool.Exec(ctx, barrierTable); err != nil {
		return nil, err
	}
	server, err := startDTMServer(ctx, url, connections)
	if err != nil {
		return nil, err
	}
	s := &dtmSagas{pool: pool, server: server, client: &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 1024}}}
	s.participants = httptest.NewServer(http.HandlerFunc(s.participate))
	return s, nil
}

// participate is one step of one saga: /0 to /2, with dtm's parameters.
func (s *dtmSagas) participate(w http.ResponseWriter, r *http.Request) {
	if err := s.book(r); err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	_, _ = io.WriteString(w, `{"dtm_result":"SUCCESS"}`)
}

func (s *dtmSagas) book(r *http.Request) error {
	step, err := strconv.Atoi(strings.Trim(r.URL.Path, "/"))
	if err != nil {
		return err
	}
	var in input
	if err := json.NewDecoder(r.Body).Decode(&in); err != nil {
		return err
	}
	q := r.URL.Query()
	return pgx.BeginFunc(r.Context(), s.pool, func(tx pgx.Tx) error {
		inserted, err := tx.Exec(r.Context(), `INSERT INTO dtm_barrier.barrier (trans_type, gid, branch_id, op, barrier_id, reason)
			VALUES ($1, $2, $3, $4, '01', $4) ON CONFLICT DO NOTHING`, q.Get("trans_type"), q.Get("gid"), q.Get("branch_id"), q.Get("op"))
		if err != nil || inserted.RowsAffected() == 0 {
			return err
		}
		return effect(r.Context(), tx, step, in.Saga, in.Account)
	})
}

// submission is dtm's request for a saga.
type submission struct {
	Gid       string              `json:"gid"`
	TransType string              `json:"trans_type"`
	Steps     []map[string]string `json:"steps"`
	Payloads  []string            `json:"payloads"`
	Wait      bool                `json:"wait_result"`
}

// run is one saga, from its start to its end.
func (s *dtmSagas) run(ctx context.Context, saga string, account int) error {
	payload, err := json.Marshal(input{saga, account})
	if err != nil {
		return err
	}
	body := submission{Gid: saga, TransType: "saga", Wait: true}
	for step := range steps {
		body.Steps = append(body.Steps, map[string]string{"action": fmt.Sprint(s.participants.URL, "/", step)})
		body.Payloads = append(body.Payloads, string(payload))
	}
	data, err := json.Marshal(body)
	if err != nil {
		return err
	}
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, s.server.url+"/api/dtmsvr/submit", bytes.NewReader(data))
	if err != nil {
		return err
	}
	r.Header.Set("Content-Type", "application/json")
	answer, err := s.client.Do(r)
	if err != nil {
		return err
	}
	defer answer.Body.Close()
	text, err := io.ReadAll(answer.Body)
	if err == nil && (answer.StatusCode != http.StatusOK || !bytes.Contains(text, []byte("SUCCESS"))) {
		err = fmt.Errorf("dtm answered %s: %s", answer.Status, text)
	}
	return err
}

func (s *dtmSagas) close() error {
	err := s.server.close()
	s.participants.Close()
	s.pool.Close()
	return err
}

// freePort is one that nobody listens on now.
func freePort() (string, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	_, port, err := net.SplitHostPort(l.Addr().String())
	return port, errors.Join(err, l.Close())
}
