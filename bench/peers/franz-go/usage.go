package main

import (
	"fmt"
	"syscall"
)

// reportEnd is said last: CPU of the whole process so far, and its peak of resident memory.
func reportEnd() {
	var usage syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &usage); err != nil {
		panic(err)
	}
	seconds := func(t syscall.Timeval) float64 { return float64(t.Sec) + float64(t.Usec)/1e6 }
	cpu := seconds(usage.Utime) + seconds(usage.Stime)
	fmt.Printf("{\"event\":\"ended\",\"cpuSeconds\":%g,\"rssMiB\":%g}\n", cpu, float64(usage.Maxrss)/1024)
}
