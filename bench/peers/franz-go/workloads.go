package main

import (
	"context"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"math"
	"strings"

	"github.com/twmb/franz-go/pkg/kgo"
)

type payment struct {
	ID       int64   `json:"id"`
	Account  string  `json:"account"`
	Amount   float64 `json:"amount"`
	Currency string  `json:"currency"`
	Status   string  `json:"status"`
}

type account struct {
	Tier    string `json:"tier"`
	Country string `json:"country"`
}

type settled struct {
	ID    int64 `json:"id"`
	Cents int64 `json:"cents"`
}

type total struct {
	Count int64   `json:"count"`
	Sum   float64 `json:"sum"`
}

type enriched struct {
	ID      int64   `json:"id"`
	Amount  float64 `json:"amount"`
	Tier    string  `json:"tier"`
	Country string  `json:"country"`
}

type window struct {
	account string
	start   int64
}

const minute = 60_000

func loopsOf(ctx context.Context, s spec) ([]loop, error) {
	app, input, output := s["app"], s["input"], s["output"]
	one := func(transform func(*kgo.Record) *kgo.Record) ([]loop, error) {
		return []loop{{app, input, output, transform}}, nil
	}
	switch s["workload"] {
	case "stateless":
		return one(stateless)
	case "windowed":
		return one(windowed())
	case "table-join":
		rows, err := loadTable(ctx, s)
		if err != nil {
			return nil, err
		}
		return one(joinedWith(rows))
	case "rekey":
		between := app + "-by-digits"
		if err := createTopic(ctx, s, between); err != nil {
			return nil, err
		}
		return []loop{{app, input, between, byDigits}, {app + "-counts", between, output, counted()}}, nil
	}
	return nil, fmt.Errorf("no workload %s", s["workload"])
}

func stateless(r *kgo.Record) *kgo.Record {
	p := parse[payment](r.Value)
	if p.Status != "settled" {
		return nil
	}
	return result(r, r.Key, encode(settled{p.ID, int64(math.Round(p.Amount * 100))}))
}

func windowed() func(*kgo.Record) *kgo.Record {
	totals := map[window]total{}
	return func(r *kgo.Record) *kgo.Record {
		p := parse[payment](r.Value)
		at := r.Timestamp.UnixMilli()
		w := window{string(r.Key), at - at%minute}
		t := totals[w]
		t.Count++
		t.Sum += p.Amount
		totals[w] = t
		key := make([]byte, 0, len(r.Key)+8)
		key = append(key, r.Key...)
		return result(r, binary.BigEndian.AppendUint64(key, uint64(w.start)), encode(t))
	}
}

func byDigits(r *kgo.Record) *kgo.Record {
	p := parse[payment](r.Value)
	return result(r, []byte(p.Account[len(p.Account)-5:]), r.Value)
}

func counted() func(*kgo.Record) *kgo.Record {
	counts := map[string]uint64{}
	return func(r *kgo.Record) *kgo.Record {
		digits := string(r.Key)
		counts[digits]++
		return result(r, r.Key, binary.BigEndian.AppendUint64(nil, counts[digits]))
	}
}

func joinedWith(rows map[string]account) func(*kgo.Record) *kgo.Record {
	return func(r *kgo.Record) *kgo.Record {
		row, found := rows[string(r.Key)]
		if !found {
			return nil
		}
		p := parse[payment](r.Value)
		return result(r, r.Key, encode(enriched{p.ID, p.Amount, row.Tier, row.Country}))
	}
}

func result(of *kgo.Record, key, value []byte) *kgo.Record {
	return &kgo.Record{Key: key, Value: value, Timestamp: of.Timestamp}
}

func parse[T any](bytes []byte) T {
	var value T
	if err := json.Unmarshal(bytes, &value); err != nil {
		panic(err)
	}
	return value
}

func encode(value any) []byte {
	bytes, err := json.Marshal(value)
	if err != nil {
		panic(err)
	}
	return bytes
}

func brokers(s spec) kgo.Opt {
	return kgo.SeedBrokers(strings.Split(s["bootstrap"], ",")...)
}
