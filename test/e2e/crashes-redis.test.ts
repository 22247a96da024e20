import { crashes } from "./crashes.contract.ts";

crashes("redis");
