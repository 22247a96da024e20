/** Which process does a housekeeper's work just now. A lease only saves work: what it guards is safe to run twice. */
export interface Leases {
  /** Takes or prolongs the lease; false while another holds it. */
  take(name: string, holder: string, leaseMs: number): Promise<boolean>;
  release(name: string, holder: string): Promise<void>;
}
