package demoorders

import (
	"encoding/json"
	"github.com/pabal-dev/pabal/bench/measure"
	"testing"
)

func TestMedian(t *testing.T) {
	for _, tt := range []struct {
		of   []float64
		want float64
	}{{[]float64{3}, 3}, {[]float64{9, 1, 2}, 2}, {[]float64{4, 1, 2, 3}, 2.5}} {
		if got := measure.Median(tt.of); got != tt.want {
			t.Errorf("median of %v is %v, want %v", tt.of, got, tt.want)
		}
	}
}

func TestReportOfABadRunIsAnError(t *testing.T) {
	for text, good := range map[string]bool{
		`{"orders":{"placed":5,"stuck":0},"invariants":[{"name":"money","ok":true}]}`:  true,
		`{"orders":{"placed":5,"stuck":0},"invariants":[{"name":"money","ok":false}]}`: false,
		`{"orders":{"placed":5,"stuck":1},"invariants":[{"name":"money","ok":true}]}`:  false,
		`{"orders":{"placed":0,"stuck":0},"invariants":[{"name":"money","ok":true}]}`:  false,
		`{"orders":{"placed":5,"stuck":0},"invariants":[]}`:                            false,
	} {
		var r report
		if err := json.Unmarshal([]byte(text), &r); err != nil {
			t.Fatal(err)
		}
		if err := r.check(); (err == nil) != good {
			t.Errorf("%s: %v", text, err)
		}
	}
}
