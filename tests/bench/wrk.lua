-- The bodies in the file BENCH_BODIES, one after another.
local bodies = {}
for line in io.lines(os.getenv("BENCH_BODIES")) do bodies[#bodies + 1] = line end
local number = 0
wrk.method = "POST"
wrk.headers["Content-Type"] = "application/json"
function request()
  number = number % #bodies + 1
  return wrk.format(nil, "/query", nil, bodies[number])
end
